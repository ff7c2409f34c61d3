"""`python -m benchmarks.slow_sink PORT MILLISECONDS`: an SMTP server that takes its time over each message.

smtp-sink can wait only for whole seconds. This one is for figures in which the sink shall be what takes time.
"""

import asyncio
import sys

REPLIES = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """One connection."""
    try:
        writer.write(b"220 sink ESMTP\r\n")
        while line := await reader.readline():
            verb = line[:4].upper().strip()
            writer.write(REPLIES.get(verb, b"250 ok\r\n"))
            if verb == b"DATA":
                await writer.drain()
                await reader.readuntil(b"\r\n.\r\n")
                await asyncio.sleep(delay)
                writer.write(b"250 taken\r\n")
            if verb == b"QUIT":
                break
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # a client may leave without a word
    finally:
        writer.close()


async def main(port: int, delay: float) -> None:
    """Until a signal."""
    server = await asyncio.start_server(lambda r, w: serve(r, w, delay), "127.0.0.1", port, limit=1 << 20)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]) / 1000))
