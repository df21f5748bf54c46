import pytest

from agent.data.redact import redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("write to mia@example.org now", "write to [e-mail] now"),
        ("key sk-abcdefghij0123456789 leaked", "key [secret] leaked"),
        ("my-token-eyJhbGciOiJIUzI1.eyJzdWIiOiIx.a-b_c, no more", "[secret], no more"),
        ("no eyJ-here.or.there", "no eyJ-here.or.there"),
        ("ghp_0123456789abcdefghij0123", "[secret]"),
        ("call +49 170 1234567", "call [phone number]"),
        ("call 030 1234 5678 or (555) 123-4567", "call [phone number] or [phone number]"),
        ("On 2024-01-02 it was 1234567890 to one.", "On 2024-01-02 it was 1234567890 to one."),
        ("4111 1111 1111 1111", "[card number]"),
        ("There are 1,440 minutes in a day.", "There are 1,440 minutes in a day."),
    ],
)
def test_personal_data_and_secrets_are_masked(text: str, shown: str) -> None:
    assert redact(text) == shown
