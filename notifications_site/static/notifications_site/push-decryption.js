// What a browser does with an encrypted push before its service worker sees it: RFC 8291 over RFC 8188, by WebCrypto.

const P256 = { name: "ECDH", namedCurve: "P-256" };
const SALT = 16; // bytes
const TAG = 16;
const LAST_RECORD = 2; // what stands before the padding

const bytes = (text) => new TextEncoder().encode(text);

const joined = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));

const derive = async (secret, salt, info, length) => {
  const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, key, length * 8));
};

/** A pair of keys and a secret as a subscription has them; the private half cannot leave the browser. */
export const makeKeys = async () => ({
  pair: await crypto.subtle.generateKey(P256, false, ["deriveBits"]),
  auth: crypto.getRandomValues(new Uint8Array(16)),
});

/** The public point in 65 bytes. */
export const publicPoint = async (pair) => new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));

/** The plain bytes of `message`, the body of a push. Throws when it is not for these keys, or not whole. */
export const decrypt = async (message, { pair, auth }) => {
  const salt = message.slice(0, SALT);
  const recordSize = new DataView(message.buffer, message.byteOffset).getUint32(SALT);
  const start = SALT + 5 + message[SALT + 4];
  const theirPoint = message.slice(SALT + 5, start);
  const record = message.slice(start);
  if (record.length > recordSize || record.length <= TAG) throw new Error("A push is one whole record.");

  const theirs = await crypto.subtle.importKey("raw", theirPoint, P256, false, []);
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: theirs }, pair.privateKey, 256));
  const info = joined(bytes("WebPush: info\0"), await publicPoint(pair), theirPoint);
  const secret = await derive(shared, auth, info, 32);
  const key = await derive(secret, salt, bytes("Content-Encoding: aes128gcm\0"), 16);
  const nonce = await derive(secret, salt, bytes("Content-Encoding: nonce\0"), 12);

  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  const padded = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce }, aes, record));
  const end = padded.findLastIndex((byte) => byte !== 0);
  if (padded[end] !== LAST_RECORD) throw new Error("The padding is wrong.");
  return padded.slice(0, end);
};
