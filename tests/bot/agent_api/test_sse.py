from bot.agent_api.sse import SseParser

STREAM = (
    b': here\n\nid: 1\ndata: {"a":\ndata: 1}\n\n: still here\n\nid: 2\r\ndata: \xc3\xa9\r\n\r\nid: 3\ndata: cut off'
)


def test_events_are_the_same_however_the_bytes_arrive() -> None:
    for width in (1, 2, 7, 1000):
        parser = SseParser()
        events = [event for at in range(0, len(STREAM), width) for event in parser.feed(STREAM[at : at + width])]
        assert events == [("1", '{"a":\n1}'), ("2", "é")]
