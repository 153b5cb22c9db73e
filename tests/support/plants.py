"""Made-up secrets and personal facts, to be planted where a redactor should find them.

Each kind is generated after what its vendor or standard publishes of the format: prefix, alphabet,
length, checksum. Nothing here is a real one, none is written down, and nothing of the redactors is
imported: what they know is not known here. The same seed gives the same plants.
"""

from __future__ import annotations

import base64
import json
import random
import string
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from faker import Faker

Make = Callable[[random.Random], str]

ALNUM = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"
URL = ALNUM + "-_"
BASE32 = string.ascii_uppercase + "234567"
STD = ALNUM + "+/"

ANYWHERE = (
    "{name}={v}",
    "export {name}='{v}'",
    '{low} = "{v}"',
    "  {low}: {v}",
    'curl -H "Authorization: Bearer {v}" https://api.internal.net/v1/jobs',
    "ok, use this one: {v} (I rotate it on Friday)",
    '+{name}="{v}"',
    "rejected token {v}, status 401",
)
PROSE = (
    "you reach me under {v}, thanks",
    "({v})",
    "value: {v}",
    "Customer {v} wrote again",
    '"{v}",',
)


@dataclass(frozen=True)
class Kind:
    """A kind of thing to be planted.

    `family`: cloud, ai, code, chat, pay, web, keys, auth, person, place, uncovered.
    `around`: texts in which it is recognisable, `{v}` where it stands.
    `is_plain`: whether it is recognisable without any of them.
    """

    name: str
    family: str
    make: Make
    around: tuple[str, ...] = ANYWHERE
    is_plain: bool = True


@dataclass(frozen=True)
class Plant:
    """One of a kind: `value` must be gone, `text` is what holds it."""

    kind: Kind
    value: str
    text: str


def pick(rng: random.Random, alphabet: str, length: int) -> str:
    """Draw characters; letters and digits both, as in anything that a generator made."""
    wanted = [set(alphabet) & set(string.digits), set(alphabet) & set(string.ascii_letters)]
    while True:
        drawn = "".join(rng.choice(alphabet) for _ in range(length))
        if length < 8 or all(not some or some & set(drawn) for some in wanted):
            return drawn


def after(prefix: str, alphabet: str, length: int, suffix: str = "") -> Make:
    """Make values of a prefix and random characters."""
    return lambda rng: prefix + pick(rng, alphabet, length) + suffix


def _checked(prefix: str) -> Make:
    """GitHub's and npm's: 30 characters, then their CRC-32 in base 62."""

    def make(rng: random.Random) -> str:
        body = pick(rng, ALNUM, 30)
        number, digits = zlib.crc32(body.encode()), ""
        while number:
            number, at = divmod(number, 62)
            digits = (string.digits + string.ascii_uppercase + string.ascii_lowercase)[at] + digits
        return prefix + body + digits.rjust(6, "0")

    return make


def _b64(rng: random.Random, size: int) -> str:
    return base64.b64encode(rng.randbytes(size)).decode()


def _pem(label: str, size: int, head: str = "MII") -> Make:
    def make(rng: random.Random) -> str:
        body = head + _b64(rng, size)[len(head) :]
        lines = [body[at : at + 64] for at in range(0, len(body), 64)]
        return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"])

    return make


def _jwt(rng: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"sub": pick(rng, string.digits, 10), "iat": 1_700_000_000 + rng.randrange(10**7)}
    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims)}.{pick(rng, URL, 43)}"


def _password(rng: random.Random) -> str:
    words = ["river", "Copper", "tango", "Winter", "maple", "Falcon", "orbit", "Saddle", "pixel"]
    return (
        rng.choice(words)
        + rng.choice("!#_-.")
        + rng.choice(words)
        + pick(rng, string.digits, 3)
        + rng.choice("!?*")
    )


def _luhn(prefix: str, length: int) -> Make:
    def make(rng: random.Random) -> str:
        body = prefix + "".join(rng.choice(string.digits) for _ in range(length - len(prefix) - 1))
        total = 0
        for at, char in enumerate(reversed(body)):
            value = int(char) * (2 if at % 2 == 0 else 1)
            total += value - 9 if value > 9 else value
        return body + str(-total % 10)

    return make


def _grouped(make: Make, sizes: tuple[int, ...], by: str) -> Make:
    def grouped(rng: random.Random) -> str:
        value, at, parts = make(rng), 0, []
        for size in sizes:
            parts.append(value[at : at + size])
            at += size
        return by.join(parts)

    return grouped


def _iban(country: str, letters: int, digits: int) -> Make:
    def make(rng: random.Random) -> str:
        body = pick(rng, string.ascii_uppercase, letters) + pick(rng, string.digits, digits)
        number = "".join(str(int(char, 36)) for char in body + country + "00")
        return f"{country}{98 - int(number) % 97:02d}{body}"

    return make


def _spaced(make: Make) -> Make:
    def spaced(rng: random.Random) -> str:
        value = make(rng)
        return " ".join(value[at : at + 4] for at in range(0, len(value), 4))

    return spaced


def _user(rng: random.Random) -> str:
    first = rng.choice(["mk", "jan", "lu", "tor", "vik", "yas", "ber", "ole", "nad", "ruf"])
    last = rng.choice(
        ["owalski", "ansson", "etkovic", "brandt", "inaru", "ellmann", "ozturk", "quist"]
    )
    return first + last + rng.choice(["", str(rng.randrange(2, 99))])


def _mail(rng: random.Random) -> str:
    joined = rng.choice([".", "_", "-", "", "+"])
    host = rng.choice(["novatek", "bluefjord", "kestrel-labs", "mail.orbis", "uni-lauental"])
    return f"{_user(rng)}{joined}{pick(rng, LOWER, 3)}@{host}.{rng.choice(['com', 'io', 'de', 'org', 'co.uk'])}"


def _us_phone(rng: random.Random) -> str:
    area = rng.choice(["212", "415", "206", "312", "617", "713"])
    return f"{area}{rng.randrange(2, 9)}{rng.randrange(20, 99)}{rng.randrange(1000, 9999)}"


def _written_phone(written: str) -> Make:
    def make(rng: random.Random) -> str:
        number = _us_phone(rng)
        return written.format(number[:3], number[3:6], number[6:])

    return make


def _ipv4(rng: random.Random) -> str:
    first = rng.choice([34, 52, 81, 91, 138, 146, 185, 212])
    return f"{first}.{rng.randrange(40, 250)}.{rng.randrange(40, 250)}.{rng.randrange(2, 250)}"


def _ipv6(rng: random.Random) -> str:
    net = rng.choice(["2a01:4f8", "2600:1f18", "2a02:8109", "2003:d5"])
    return f"{net}:" + ":".join(f"{rng.randrange(4096, 65535):x}" for _ in range(6))


def _ssn(rng: random.Random) -> str:
    return f"{rng.randrange(101, 665)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}"


def _cpf(rng: random.Random) -> str:
    digits = [rng.randrange(10) for _ in range(9)]
    for _ in range(2):
        total = sum(
            value * weight
            for value, weight in zip(digits, range(len(digits) + 1, 1, -1), strict=True)
        )
        digits.append(0 if total % 11 < 2 else 11 - total % 11)
    text = "".join(map(str, digits))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"


def _dni(rng: random.Random) -> str:
    number = rng.randrange(10_000_000, 99_999_999)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _chinese(rng: random.Random) -> str:
    body = f"{rng.choice(['110105', '310115', '440305'])}19{rng.randrange(50, 99)}"
    body += f"{rng.randrange(1, 12):02d}{rng.randrange(1, 28):02d}{rng.randrange(100, 999)}"
    total = sum(int(digit) * pow(2, 17 - at, 11) for at, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def _fake(method: str) -> Make:
    def make(rng: random.Random) -> str:
        fake = Faker("en_US")
        fake.seed_instance(rng.randrange(2**31))
        return str(getattr(fake, method)()).replace("\n", ", ")

    return make


def _named(*names: str) -> tuple[str, ...]:
    lines = ("{n}={{v}}", 'export {n}="{{v}}"', "  {l}: {{v}}", '{l} = "{{v}}"')
    return tuple(line.format(n=name, l=name.lower()) for name in names for line in lines)


KINDS: tuple[Kind, ...] = (
    Kind("openai-project-key", "ai", lambda r: f"sk-proj-{pick(r, URL, 74)}T3BlbkFJ{pick(r, URL, 74)}"),
    Kind("openai-service-account-key", "ai", lambda r: f"sk-svcacct-{pick(r, URL, 74)}T3BlbkFJ{pick(r, URL, 74)}"),
    Kind("openai-legacy-key", "ai", lambda r: f"sk-{pick(r, ALNUM, 20)}T3BlbkFJ{pick(r, ALNUM, 20)}"),
    Kind("anthropic-api-key", "ai", after("sk-ant-api03-", URL, 93, "AA")),
    Kind("anthropic-admin-key", "ai", after("sk-ant-admin01-", URL, 93, "AA")),
    Kind("openrouter-key", "ai", after("sk-or-v1-", HEX, 64)),
    Kind("huggingface-token", "ai", after("hf_", string.ascii_letters, 34)),
    Kind("groq-key", "ai", after("gsk_", ALNUM, 52)),
    Kind("perplexity-key", "ai", after("pplx-", ALNUM, 48)),
    Kind("replicate-token", "ai", after("r8_", ALNUM, 37)),
    Kind("xai-key", "ai", after("xai-", ALNUM, 80)),
    Kind("langsmith-key", "ai", lambda r: f"lsv2_pt_{pick(r, HEX, 32)}_{pick(r, HEX, 10)}"),
    Kind("google-api-key", "cloud", after("AIza", URL, 35)),
    Kind("google-oauth-secret", "cloud", after("GOCSPX-", URL, 28)),
    Kind("google-access-token", "cloud", after("ya29.a0", URL, 160)),
    Kind("aws-access-key-id", "cloud", after("AKIA", BASE32, 16)),
    Kind("aws-secret-key", "cloud", after("", STD, 40), _named("AWS_SECRET_ACCESS_KEY"), is_plain=False),
    Kind("azure-storage-key", "cloud", after("", STD, 86, "=="),
         ("DefaultEndpointsProtocol=https;AccountName=acmedata;AccountKey={v};EndpointSuffix=core.windows.net",),
         is_plain=False),
    Kind("digitalocean-token", "cloud", after("dop_v1_", HEX, 64)),
    Kind("databricks-token", "cloud", after("dapi", HEX, 32)),
    Kind("vault-token", "cloud", after("hvs.", URL, 92)),
    Kind("terraform-cloud-token", "cloud", lambda r: f"{pick(r, ALNUM, 14)}.atlasv1.{pick(r, ALNUM, 67)}"),
    Kind("pulumi-token", "cloud", after("pul-", HEX, 40)),
    Kind("doppler-token", "cloud", after("dp.pt.", ALNUM, 43)),
    Kind("supabase-token", "cloud", after("sbp_", HEX, 40)),
    Kind("cloudflare-token", "cloud", after("", URL, 40), _named("CLOUDFLARE_API_TOKEN"), is_plain=False),
    Kind("datadog-key", "cloud", after("", HEX, 32), _named("DD_API_KEY", "DATADOG_API_KEY"), is_plain=False),
    Kind("newrelic-key", "cloud", after("NRAK-", UPPER, 27)),
    Kind("grafana-service-token", "cloud", lambda r: f"glsa_{pick(r, ALNUM, 32)}_{pick(r, HEX, 8)}"),
    Kind("github-token", "code", _checked("ghp_")),
    Kind("github-app-token", "code", _checked("ghs_")),
    Kind("github-fine-grained-token", "code", lambda r: f"github_pat_{pick(r, ALNUM, 22)}_{pick(r, ALNUM, 59)}"),
    Kind("gitlab-token", "code", after("glpat-", URL, 20)),
    Kind("npm-token", "code", _checked("npm_")),
    Kind("pypi-token", "code", after("pypi-AgEIcHlwaS5vcmc", URL, 150)),
    Kind("rubygems-key", "code", after("rubygems_", HEX, 48)),
    Kind("docker-token", "code", after("dckr_pat_", URL, 27)),
    Kind("linear-key", "code", after("lin_api_", ALNUM, 40)),
    Kind("atlassian-token", "code", after("ATATT3xFfGF0", URL, 172, "=" + "1A2B3C4D")),
    Kind("postman-key", "code", lambda r: f"PMAK-{pick(r, HEX, 24)}-{pick(r, HEX, 34)}"),
    Kind("figma-token", "code", after("figd_", URL, 40)),
    Kind("notion-token", "code", after("ntn_", ALNUM, 46)),
    Kind("airtable-token", "code", lambda r: f"pat{pick(r, ALNUM, 14)}.{pick(r, HEX, 64)}"),
    Kind("slack-bot-token", "chat", lambda r: f"xoxb-{pick(r, string.digits, 12)}-{pick(r, string.digits, 12)}-{pick(r, ALNUM, 24)}"),
    Kind("slack-app-token", "chat", lambda r: f"xapp-1-A{pick(r, UPPER, 10)}-{pick(r, string.digits, 13)}-{pick(r, HEX, 64)}"),
    Kind("slack-webhook", "chat", lambda r: f"https://hooks.slack.com/services/T{pick(r, UPPER, 10)}/B{pick(r, UPPER, 10)}/{pick(r, ALNUM, 24)}"),
    Kind("telegram-bot-token", "chat", lambda r: f"{r.randrange(10**9, 9 * 10**9)}:AA{pick(r, URL, 33)}"),
    Kind("discord-bot-token", "chat", lambda r: f"M{pick(r, ALNUM, 25)}.G{pick(r, ALNUM, 5)}.{pick(r, URL, 38)}",
         _named("DISCORD_TOKEN", "DISCORD_BOT_TOKEN")),
    Kind("twilio-key", "chat", after("SK", HEX, 32), _named("TWILIO_API_KEY")),
    Kind("sendgrid-key", "chat", lambda r: f"SG.{pick(r, URL, 22)}.{pick(r, URL, 43)}"),
    Kind("mailgun-key", "chat", after("key-", HEX, 32), _named("MAILGUN_API_KEY")),
    Kind("mailchimp-key", "chat", after("", HEX, 32, "-us12"), _named("MAILCHIMP_API_KEY")),
    Kind("stripe-live-key", "pay", after("sk_live_", ALNUM, 99)),
    Kind("stripe-restricted-key", "pay", after("rk_live_", ALNUM, 99)),
    Kind("stripe-webhook-secret", "pay", after("whsec_", ALNUM, 32)),
    Kind("shopify-token", "pay", after("shpat_", HEX, 32)),
    Kind("square-token", "pay", after("sq0atp-", URL, 22)),
    Kind("rsa-private-key", "keys", _pem("RSA PRIVATE KEY", 600)),
    Kind("openssh-private-key", "keys", _pem("OPENSSH PRIVATE KEY", 300, "b3BlbnNzaC1rZXktdjEAAAAA")),
    Kind("pkcs8-private-key", "keys", _pem("PRIVATE KEY", 600)),
    Kind("age-secret-key", "keys", after("AGE-SECRET-KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)),
    Kind("json-web-token", "auth", _jwt),
    Kind("password-in-url", "auth", after("", ALNUM, 18),
         ("postgres://app:{v}@db.internal:5432/main", "DATABASE_URL=mysql://root:{v}@10.0.0.4/shop",
          "redis://:{v}@cache:6379/0", "git clone https://ci:{v}@git.internal.net/x.git"), is_plain=False),
    Kind("bearer-token", "auth", after("", URL, 44), ("Authorization: Bearer {v}", "curl -H 'Authorization: Bearer {v}' https://a.net"), is_plain=False),
    Kind("basic-credentials", "auth", lambda r: base64.b64encode(f"svc:{pick(r, ALNUM, 16)}".encode()).decode(),
         ("Authorization: Basic {v}", 'curl -H "Authorization: Basic {v}" https://a.net'), is_plain=False),
    Kind("password-setting", "auth", _password, _named("DB_PASSWORD", "SMTP_PASSWORD", "ADMIN_PASSWORD"), is_plain=False),
    Kind("secret-setting", "auth", after("", ALNUM, 32), _named("CLIENT_SECRET", "API_KEY", "SESSION_SECRET"), is_plain=False),
    Kind("e-mail", "person", _mail, PROSE),
    Kind("phone-e164", "person", lambda r: f"+1{_us_phone(r)}", PROSE),
    Kind("phone-international", "person", lambda r: f"+49 30 {r.randrange(2000, 9999)} {r.randrange(1000, 9999)}", PROSE),
    Kind("phone-brackets", "person", _written_phone("({}) {}-{}"), PROSE),
    Kind("phone-dashes", "person", _written_phone("{}-{}-{}"), PROSE),
    Kind("phone-national", "person", lambda r: f"07911 {r.randrange(100000, 999999)}",
         ("phone: {v}", "call me at {v} tonight", "Tel. {v}", "mobile {v}"), is_plain=False),
    Kind("card", "pay", _luhn("4", 16), PROSE),
    Kind("card-spaced", "pay", _grouped(_luhn("53", 16), (4, 4, 4, 4), " "), PROSE),
    Kind("card-dashed", "pay", _grouped(_luhn("6011", 16), (4, 4, 4, 4), "-"), PROSE),
    Kind("card-amex", "pay", _grouped(_luhn("37", 15), (4, 6, 5), " "), PROSE),
    Kind("iban", "pay", _iban("DE", 0, 18), PROSE),
    Kind("iban-spaced", "pay", _spaced(_iban("GB", 4, 14)), PROSE),
    Kind("ipv4", "place", _ipv4, ("ssh deploy@{v}", "connect to {v}:8443 failed", "host: {v}", '"remote_addr": "{v}"', "GET / from {v}")),
    Kind("ipv6", "place", _ipv6, ("inet6 {v}/64", "from [{v}]:443", "host: {v}")),
    Kind("home-linux", "place", _user, ("/home/{v}/src/app.py", "cd /home/{v} && ls", 'File "/home/{v}/x/main.py", line 3'), is_plain=False),
    Kind("home-mac", "place", _user, ("/Users/{v}/code/site/index.ts", "~/.zshrc -> /Users/{v}/.zshrc"), is_plain=False),
    Kind("home-windows", "place", _user, ("C:\\Users\\{v}\\repo\\a.cs", "c:/Users/{v}/repo"), is_plain=False),
    Kind("us-social-security-number", "person", _ssn, ("SSN: {v}", "social security number {v}", "ssn={v}"), is_plain=False),
    Kind("br-cpf", "person", _cpf, ("CPF {v}", "cpf: {v}")),
    Kind("es-dni", "person", _dni, ("DNI {v}", "dni: {v}"), is_plain=False),
    Kind("cn-resident-identity", "person", _chinese, PROSE),
)  # fmt: skip

NO_RULE: tuple[Kind, ...] = (
    Kind("name-of-a-person", "uncovered", _fake("name"), ("ask {v} about it", "Reported by {v}"), is_plain=False),
    Kind("street-address", "uncovered", _fake("street_address"), ("ship it to {v}", "we moved to {v}"), is_plain=False),
    Kind("password-in-prose", "uncovered", _password, ("the password is {v}", "log in with {v} as usual"), is_plain=False),
    Kind("date-of-birth", "uncovered", _fake("date_of_birth"), ("she was born on {v}",), is_plain=False),
    Kind("company", "uncovered", _fake("company"), ("our customer {v} complains",), is_plain=False),
)  # fmt: skip

ENCODINGS = ("plain", "json", "json-twice", "percent", "base64", "base64url")


def plant(kind: Kind, rng: random.Random) -> Plant:
    """Make one of a kind, in a text of its own."""
    value = kind.make(rng)
    name = kind.name.upper().replace("-", "_")
    around = rng.choice(kind.around)
    text = around.replace("{name}", name).replace("{low}", name.lower()).replace("{v}", value)
    return Plant(kind, value, text)


def encode(planted: Plant, encoding: str, rng: random.Random) -> str:
    """Write a plant so that it stands in a text in another way."""
    text = planted.text
    if planted.kind.is_plain and rng.random() < 0.5:
        text = planted.value
    if encoding == "json":
        return 'response body: {"ok": true, "note": ' + json.dumps(text) + ', "n": 3} (cut'
    if encoding == "json-twice":
        return "payload: " + json.dumps('{"note": ' + json.dumps(text) + "}") + ","
    if encoding == "percent":
        return f"GET /cb?next={quote(text, safe='')}&x=1 HTTP/1.1"
    if encoding == "base64":
        return f"blob: {base64.b64encode(text.encode()).decode()}\n"
    if encoding == "base64url":
        return f"state={base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')}&x"
    return planted.text


def forms(value: str) -> set[str]:
    """Give every way to write a value in which it must not be left, halves of long ones too."""
    parts = {value}
    if len(value) >= 24:
        parts |= {value[: len(value) // 2], value[len(value) // 2 :]}
    found: set[str] = set()
    for part in parts:
        escaped = part
        for _ in range(4):
            found.add(escaped)
            escaped = json.dumps(escaped, ensure_ascii=False)[1:-1]
        found |= {quote(part, safe=""), quote(part)}
        raw = part.encode()
        for shift in range(3):
            written = base64.b64encode(b"\0" * shift + raw).decode()
            core = written[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]
            if len(core) >= 8:
                found |= {core, core.translate(str.maketrans("+/", "-_"))}
    return found


def is_left(value: str, strings: str) -> bool:
    """Say whether a value is left in a text, in any form."""
    return any(form in strings for form in forms(value))
