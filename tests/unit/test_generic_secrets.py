"""Values are secrets when their names say so and they look like it; code is not."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from tests.support.templates import expand

from dolphin_logger.redactors.encoded import Encoded
from dolphin_logger.redactors.generic import Generic

SECRET = [  # the secret between « and »
    'password = "«{w:16}»"',
    "password: '«hunter42!X»'",
    "DB_PASSWORD=«{w:14}»\n",
    "export API_TOKEN=«{w:32}»",
    '"api_key": "«{h:32}»"',
    '\\"api_key\\": \\"«{w:32}»\\"',
    '\\\\\\"api_key\\\\\\": \\\\\\"«{w:32}»\\\\\\"',
    "tool --token «{w:40}» run",
    "tool --api-key=«{w:24}»",
    "<password>«{w:16}»</password>",
    'SECRET_KEY = "«{w:50}»"',
    'secret: str = "«{x:40}»"',
    'password: Optional[str] = "«{w:16}»"',
    '("password", "«{w:16}»")',
    'os.environ["MY_TOKEN"] = "«{w:32}»"',
    "config.secretKey = `«{w:32}»`",
    'auth_token => "«{h:40}»"',
    "encryption-key: «{b:43}=»",
    "spring.datasource.password=«{w:12}»",
    '"password":"«P@ssw0rd2024!»"',
    "token = b'«{w:30}»'",
    "API Key: «{w:32}».",
    "password=«Tr0ub4dor&3»",
    "passphrase: «{w:24}»",
    'if token == "«{w:30}»":',
    "let clientSecret = '«{x:40}»';",
    'PRIVATE_KEY = "«{w:44}»"',
    "\u00e9\u4e2d password: «{w:20}» \U0001f600",
    "DB_PASSWORD=«maple_tango422?»\nPORT=80",
    "SMTP_PASSWORD=«river_orbit7!»",
    "db_password: «pixel.Winter961?»",
    "const API_KEY =\n  '«{w:32}»';",
]
NONE = [
    "password = get_password()",
    "token: str = None",
    'api_key = os.environ["API_KEY"]',
    'api_key=os.getenv("API_KEY")',
    "password: ${DB_PASSWORD}",
    "password: $DB_PASSWORD",
    "token: ${{ secrets.GITHUB_TOKEN }}",
    'token = "<your token>"',
    "secret: {{ vault.secret }}",
    'api_key = "your_api_key_here"',
    'token = "xxxxxxxxxxxxxxxxxxxx"',
    'secret = "..."',
    "max_tokens = 4096",
    "token_count: 123456",
    "tokenizer = AutoTokenizer.from_pretrained(name)",
    "self.password = password",
    'token = "{h:8}-{h:4}-{h:4}-{h:4}-{h:12}"',
    'password_hash = "{h:64}"',
    '"integrity": "sha512-{b:86}=="',
    '"token_sha256": "{h:64}"',
    "api_key: Optional[str] = Field(default=None)",
    'secret_name = "my-application-secret"',
    "secretKeyRef: my-secret-name",
    "token = self.next_token.value",
    'if token == "endofstatement":',
    'public_key = "{w:40}"',
    'next_page_token = "{w:40}"',
    "primary_key=True",
    "token = tokens[index]",
    "credentials=service_account_credentials",
    'auth: "AuthenticationMiddlewareFactory"',
    "--token $TOKEN",
    'sort_key = "{h:40}"',
    "the password {w:20} was never set",
    "password: the_password_of_this_user",
    "secret = await client.secrets.read(path)",
    "authorization: AuthorizationCodeGrantHandler",
    'token_url = "https://auth.example.org/oauth2/token"',
    "password=process.env.PASSWORD1",
    "commit {h:40}",
    "DB_PASSWORD=<your password>\nREDIS_URL=redis://localhost:6379/0",
    "the password:\n{w:20}",
    "--password\n{w:20}",
    "password=maple_tango?",
    "data:image/png;base64,{b:200}",
]


@pytest.mark.parametrize("template", SECRET)
def test_a_value_is_found_by_its_name(template: str) -> None:
    """With each of 12 seeds, the finding is the secret, from its first to its last character."""
    for seed in range(12):
        marked = expand(template, seed=seed)
        secret = marked[marked.index("«") + 1 : marked.index("»")]
        text = marked.replace("«", "").replace("»", "")
        found = [text[one.start : one.end] for one in Generic().find(text)]
        assert found == [secret], text


@pytest.mark.parametrize("template", NONE)
def test_code_is_no_secret(template: str) -> None:
    """References, calls, annotations, stand-ins, UUIDs and digests stay, with each of 12 seeds."""
    for seed in range(12):
        text = expand(template, seed=seed)
        assert list(Generic().find(text)) == [], text


@pytest.mark.parametrize(
    ("key", "template", "is_secret"),
    [
        ("password", "{w:12}", True),
        ("db_password", "hunter42", True),
        ("apiKey", "{w:32}", True),
        ("clientSecret", "{x:40}", True),
        ("authorization", "{w:40}", True),
        ("X-Auth-Token", "{h:40}", True),
        ("passphrase", "tangerine7", True),
        ("password", "string", False),
        ("password", "${PASSWORD}", False),
        ("password", "process.env.PASSWORD", False),
        ("password", "the password of the user", False),
        ("token", "{h:8}-{h:4}-{h:4}-{h:4}-{h:12}", False),
        ("next_page_token", "{w:40}", False),
        ("password_hash", "{h:64}", False),
        ("content", "{w:40}", False),
        ("public_key", "{w:40}", False),
        ("max_tokens", "1234567890", False),
        ("token", "AuthenticationToken", False),
    ],
)
def test_the_key_of_an_object_names_its_value(key: str, template: str, is_secret: bool) -> None:
    """The whole value is the finding, or nothing is."""
    for seed in range(12):
        text = expand(template, seed=seed)
        found = [(one.start, one.end) for one in Generic().find(text, key=key)]
        assert found == ([(0, len(text))] if is_secret else []), text


HIDDEN = expand("GITHUB_TOKEN=ghp_{w:36} and more")
TWICE = base64.b64encode(base64.b64encode(HIDDEN.encode())).decode()
ENCODED = {
    "base64": base64.b64encode(HIDDEN.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(HIDDEN.encode()).decode().rstrip("="),
    "hexadecimal": HIDDEN.encode().hex(),
    "capital hexadecimal": HIDDEN.encode().hex().upper(),
    "percent": "".join(f"%{byte:02X}" for byte in HIDDEN.encode()),
    "percent of JSON": quote(f'{{"a":"{HIDDEN}"}}'),
    "base64 twice": TWICE,
    "percent of base64": quote(base64.b64encode(HIDDEN.encode()).decode() + "="),
}


@pytest.mark.parametrize("name", ENCODED)
@pytest.mark.parametrize("around", ["{}", "\u4e2d {} \u00e9", '"{}"', "see <{}>"])
def test_what_was_encoded_is_found(name: str, around: str) -> None:
    """A run that decodes to a secret, once or twice, is found whole."""
    text = around.format(ENCODED[name])
    found = list(Encoded().find(text))
    assert any(text[one.start : one.end] == ENCODED[name] for one in found)
    assert {one.rule for one in found} == {"encoded-github-token"}


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(b"nothing to see here, move along please").decode(),
        expand("data:image/png;base64,iVBORw0KGgo{b:400}"),
        "data:image/png;base64," + base64.b64encode(HIDDEN.encode()).decode(),
        expand("commit {h:40}"),
        "%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82 %20%20",
        "AVeryLongNameOfAClassInSomeProgramOfJava",
        base64.b64encode(TWICE.encode()).decode(),
    ],
)
def test_what_hides_nothing_stays(text: str) -> None:
    """Text, pictures and digests are no findings; three times encoded is beyond what is decoded."""
    assert list(Encoded().find(text)) == []
