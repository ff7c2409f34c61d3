"""Mails as real servers write them when a mail comes back: their forms, our words and addresses.

Each is a function of the address it is sent to (ours), the person's address and the Message-ID of what came back.
"""

import base64

DATE = "Sun, 22 Nov 2026 15:00:00 +0000"


def original(message_id: str, to: str, sender: str = "shop@mail.example", return_path: str = "") -> str:
    """The mail that came back."""
    path = f"Return-Path: <{return_path}>\n" if return_path else ""
    return f"""{path}Received: from web1.mail.example by mx.example.net with ESMTPS; {DATE}
Subject: Your order
From: Shop <{sender}>
To: {to}
Date: {DATE}
Message-ID: <{message_id}@mail.example>
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"

Dear Ann, your order is on its way.
"""


def report(
    *blocks: str, to: str, text: str, returned: str, sender: str = "MAILER-DAEMON@mx.example.net", extra: str = ""
) -> bytes:
    """RFC 6522 with RFC 3464 in it."""
    status = "\n\n".join(["Reporting-MTA: dns; mx.example.net\nArrival-Date: " + DATE, *blocks])
    return f"""Return-Path: <>
Received: by mx.example.net (Postfix) id 4XyZ; {DATE}
Date: {DATE}
From: {sender} (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
{extra}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4XyZ.1795359600/mx.example.net"
Content-Transfer-Encoding: 8bit
Message-Id: <20261122150000.4XyZ@mx.example.net>

This is a MIME-encapsulated message.

--4XyZ.1795359600/mx.example.net
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

{text}

--4XyZ.1795359600/mx.example.net
Content-Description: Delivery report
Content-Type: message/delivery-status

{status}

--4XyZ.1795359600/mx.example.net
Content-Description: Undelivered Message
Content-Type: message/rfc822
Content-Transfer-Encoding: 8bit

{returned}
--4XyZ.1795359600/mx.example.net--
""".encode()


def block(
    person: str, *, action: str = "failed", status: str = "5.1.1", said: str = "", original_recipient: str = ""
) -> str:
    """What is said of one recipient."""
    lines = [f"Final-Recipient: rfc822; {person}"]
    lines += [f"Original-Recipient: rfc822;{original_recipient}"] if original_recipient else []
    lines += [f"Action: {action}", f"Status: {status}"]
    lines += [f"Diagnostic-Code: smtp; {said}"] if said else []
    return "\n".join([*lines, f"Last-Attempt-Date: {DATE}"])


def postfix(to: str, person: str, message_id: str, *, status: str = "5.1.1", said: str = "", **how) -> bytes:
    said = said or f"550 5.1.1 <{person}>: Recipient address rejected: User unknown in\n    virtual mailbox table"
    words = f"<{person}>: host mx.example.com[192.0.2.7] said: {said} (in reply to RCPT TO command)"
    return report(
        block(person, status=status, said=said, original_recipient=person, **how),
        to=to,
        text=f"This is the mail system at host mx.example.net.\n\nI'm sorry to have to inform you.\n\n{words}",
        returned=original(message_id, person),
        extra="Auto-Submitted: auto-replied\n",
    )


def postfix_delayed(to: str, person: str, message_id: str) -> bytes:
    return postfix(
        to, person, message_id, action="delayed", status="4.4.1", said="connect to mx.example.com: Connection timed out"
    )


def exim(to: str, person: str, message_id: str) -> bytes:
    """Exim since 4.73 adds a report; the text is the old one."""
    return report(
        f"Action: failed\nFinal-Recipient: rfc822;{person}\nStatus: 5.0.0\nRemote-MTA: dns; mx.example.com\n"
        "Diagnostic-Code: smtp; 550 No such user here",
        to=to,
        text="This message was created automatically by mail delivery software.\n\n"
        f"  {person}\n    host mx.example.com [192.0.2.7]\n"
        f"    SMTP error from remote mail server after RCPT TO:<{person}>:\n    550 No such user here",
        returned=original(message_id, person),
        sender="Mailer-Daemon@exim.example.net",
        extra=f"X-Failed-Recipients: {person}\nAuto-Submitted: auto-replied\n",
    )


def exim_in_words(to: str, person: str, message_id: str) -> bytes:
    """Before that, and today where somebody has switched reports off."""
    return f"""Return-path: <>
Envelope-to: {to}
Delivery-date: {DATE}
X-Failed-Recipients: {person}
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@exim.example.net>
To: {to}
Subject: Mail delivery failed: returning message to sender
Message-Id: <E1abcd-000001-AB@exim.example.net>
Date: {DATE}

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {person}
    SMTP error from remote mail server after RCPT TO:<{person}>:
    host mx.example.com [192.0.2.7]: 552 5.2.2 Mailbox is over quota

------ This is a copy of the message, including all the headers. ------

{original(message_id, person)}""".encode()


def exchange(to: str, person: str, message_id: str) -> bytes:
    """Microsoft 365: HTML for people, and a report without Original-Recipient."""
    return f"""From: <postmaster@outlook.example>
To: <{to}>
Date: {DATE}
Content-Type: multipart/report; report-type=delivery-status;
 boundary="9b0c-4a27-8d5e"
X-MS-Exchange-Message-Is-Ndr:
Auto-Submitted: auto-replied
Message-ID: <b7f3@AM0PR01.outlook.example>
Subject: Undeliverable: Your order
MIME-Version: 1.0

--9b0c-4a27-8d5e
Content-Type: multipart/alternative; differences=Content-Type;
 boundary="5a5a-77"

--5a5a-77
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message to {person.replace("=", "=3D")} couldn't be delivered.=20

--5a5a-77
Content-Type: text/html; charset="us-ascii"

<p>Your message couldn't be delivered.</p>

--5a5a-77--

--9b0c-4a27-8d5e
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR01.outlook.example
Received-From-MTA: dns;web1.mail.example
Arrival-Date: {DATE}

Final-Recipient: rfc822;{person.upper()}
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup

--9b0c-4a27-8d5e
Content-Type: message/rfc822

{original(message_id, person, return_path=to)}
--9b0c-4a27-8d5e--
""".encode().replace(b"\n", b"\r\n")


def gmail(to: str, person: str, message_id: str) -> bytes:
    return f"""Delivered-To: {to}
Return-Path: <>
From: Mail Delivery Subsystem <mailer-daemon@googlemail.example>
To: {to}
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
References: <{message_id}@mail.example>
In-Reply-To: <{message_id}@mail.example>
Message-ID: <6564.0a@mx.google.example>
Date: Sun, 22 Nov 2026 07:00:00 -0800 (PST)
Content-Type: multipart/report; boundary="0000000000008b"; report-type=delivery-status

--0000000000008b
Content-Type: multipart/related; boundary="0000000000008c"

--0000000000008c
Content-Type: text/html; charset="UTF-8"

<p>Address not found</p>

--0000000000008c
Content-Type: image/png; name="icon.png"
Content-Transfer-Encoding: base64

iVBORw0KGgo=

--0000000000008c--
--0000000000008b
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.example
Arrival-Date: Sun, 22 Nov 2026 07:00:00 -0800 (PST)
X-Original-Message-ID: <{message_id}@mail.example>

Final-Recipient: rfc822; {person}
Action: failed
Status: 5.1.1
Remote-MTA: dns; gmail-smtp-in.l.example. (192.0.2.26, the server for the domain.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or
 550 5.1.1 unnecessary spaces. ffacd0b85a97d - gsmtp
Last-Attempt-Date: Sun, 22 Nov 2026 07:00:00 -0800 (PST)

--0000000000008b
Content-Type: message/rfc822

{original(message_id, person)}
--0000000000008b--
""".encode()


def qmail(to: str, person: str, message_id: str) -> bytes:
    """QSBMF: no MIME at all."""
    return f"""Return-Path: <>
Delivered-To: {to}
Received: (qmail 12345 invoked for bounce); 22 Nov 2026 15:00:00 -0000
Date: {DATE}
From: MAILER-DAEMON@qmail.example.net
To: {to}
Subject: failure notice

Hi. This is the qmail-send program at qmail.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{person}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

{original(message_id, person, return_path=to)}""".encode()


def sendmail(to: str, person: str, message_id: str) -> bytes:
    return report(
        f"Original-Recipient: rfc822;{person}\nFinal-Recipient: RFC822; {person}\nAction: failed\nStatus: 5.2.2\n"
        "Remote-MTA: DNS; mx.example.com\nDiagnostic-Code: SMTP; 552 5.2.2 Mailbox full\n"
        f"Last-Attempt-Date: {DATE}",
        to=to,
        text=f"   ----- The following addresses had permanent fatal errors -----\n<{person}>\n"
        "    (reason: 552 5.2.2 Mailbox full)",
        returned=original(message_id, person),
        extra="Auto-Submitted: auto-generated (failure)\n",
    )


def yahoo_in_words(to: str, person: str, message_id: str) -> bytes:
    return f"""From: MAILER-DAEMON@yahoo.example
To: {to}
Subject: Failure Notice
Date: {DATE}
Message-ID: <77@yahoo.example>
X-YahooFilteredBulk: 192.0.2.8

Sorry, we were unable to deliver your message to the following address.

<{person}>:
Remote host said:
554 delivery error: dd This user doesn't have a yahoo.example account
[0] - mta1.yahoo.example

--- Below this line is a copy of the message.

{original(message_id, person, return_path=to)}""".encode()


def _feedback(to: str, fields: str, returned: str, *, agent: str, sender: str) -> bytes:
    return f"""From: <{sender}>
Date: {DATE}
Subject: FW: Your order
To: <{to}>
Message-ID: <fbl-1@{sender.rpartition("@")[2]}>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report;
 boundary="part1_13d.2e68ed54_boundary"

--part1_13d.2e68ed54_boundary
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report for an email message.

--part1_13d.2e68ed54_boundary
Content-Type: message/feedback-report

{fields}
User-Agent: {agent}
Version: 1

--part1_13d.2e68ed54_boundary
Content-Type: message/rfc822
Content-Disposition: inline

{returned}
--part1_13d.2e68ed54_boundary--
""".encode()


def yahoo_complaint(to: str, person: str, message_id: str, *, kind: str = "abuse", loop: str = "") -> bytes:
    """To the address registered for the feedback loop; the person's is left out."""
    return _feedback(
        loop or "fbl@mail.example",
        f"Feedback-Type: {kind}\nOriginal-Mail-From: <{to}>\nArrival-Date: {DATE}\nReported-Domain: mail.example",
        original(message_id, "redacted@yahoo.example"),
        agent="Yahoo!-Mail-Feedback/2.0",
        sender="feedback@arf.mail.yahoo.example",
    )


def aol_complaint(to: str, person: str, message_id: str) -> bytes:
    """Everything about the person is redacted; what is left of the mail has its Return-Path."""
    return _feedback(
        "fbl@mail.example",
        "Feedback-Type: abuse\nSource-IP: 192.0.2.1",
        original(message_id, "undisclosed-recipients:;", return_path=to),
        agent="AOL SComp/0.1",
        sender="scomp@aol.example",
    )


def out_of_office(to: str, person: str, message_id: str) -> bytes:
    return f"""From: {person}
To: {to}
Subject: Automatic reply: Your order
Auto-Submitted: auto-replied
X-Auto-Response-Suppress: All
In-Reply-To: <{message_id}@mail.example>
Date: {DATE}

I am away until Monday. The mailbox old@example.com does not exist any more.
""".encode()


def a_human(to: str, person: str, message_id: str) -> bytes:
    return f"""From: {person}
To: {to}
Subject: Re: Your order
In-Reply-To: <{message_id}@mail.example>
Date: {DATE}

Where is my parcel?
> Message-ID: <{message_id}@mail.example>
""".encode()


def many_recipients(to: str, person: str, message_id: str) -> bytes:
    """A list behind one address: one of its members is known, and is not the person."""
    return report(
        block("carl@elsewhere.example", action="delivered", status="2.0.0"),
        block(person, status="5.2.1", said="550 5.2.1 Mailbox disabled"),
        block("bea@elsewhere.example", action="delayed", status="4.2.2"),
        to=to,
        text="See below.",
        returned=original(message_id, person),
    )


def headers_only(to: str, person: str, message_id: str) -> bytes:
    """RFC 3462 allows the head of the mail alone, and some encode their parts."""
    status = f"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; {person}\nAction: failed\nStatus: 5.1.1\n"
    return f"""From: postmaster@mx.example.net
To: {to}
Date: {DATE}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=xx

--xx
Content-Type: text/plain

Undeliverable.
--xx
Content-Type: message/delivery-status
Content-Transfer-Encoding: base64

{base64.encodebytes(status.encode()).decode()}
--xx
Content-Type: text/rfc822-headers

Message-ID: <{message_id}@mail.example>
--xx--
""".encode()
