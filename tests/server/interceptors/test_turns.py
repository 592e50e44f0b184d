"""Claims about the turns in which messages are received: few at a time, in order, and who is silent gives way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from dropaudit_server.interceptors.caller_limits import CallerLimits, CallLimits, MessageTimedOut, TooManyMessages
from dropaudit_server.interceptors.turns import GaveWay, NoTurn, Patience, Turns
from dropaudit_server.settings import ServerSettings


class Sender:
    """Sends a message when it is told to, and remembers whether somebody waits for it."""

    def __init__(self, content: bytes = b"") -> None:
        self.asked = False
        self.sent = asyncio.Event()
        self._content = content

    async def message(self) -> bytes:
        self.asked = True
        await self.sent.wait()
        return self._content

    async def messages(self) -> AsyncIterator[bytes]:
        yield await self.message()


async def settled() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def received(turns: Turns, sender: Sender, connection: str = "one") -> bytes:
    async with turns.turn(connection):
        return await turns.received(connection, sender.message())


def test_no_more_messages_are_asked_for_at_a_time_than_there_are_turns() -> None:
    async def run() -> None:
        turns, senders = Turns(2), [Sender(bytes([number])) for number in range(5)]
        calls = [asyncio.create_task(received(turns, each)) for each in senders]
        await settled()
        assert [each.asked for each in senders] == [True, True, False, False, False]
        senders[1].sent.set()
        await settled()
        assert [each.asked for each in senders] == [True, True, True, False, False]
        for each in senders:
            each.sent.set()
        assert await asyncio.gather(*calls) == [bytes([number]) for number in range(5)]

    asyncio.run(run())


def test_who_waits_too_long_for_a_turn_is_refused() -> None:
    async def run() -> None:
        turns, first = Turns(1, Patience(waiting=0.01)), Sender()
        call = asyncio.create_task(received(turns, first))
        await settled()
        with pytest.raises(NoTurn):
            await received(turns, Sender())
        first.sent.set()
        await call
        # Nobody who waited in vain holds a turn.
        second = Sender(b"second")
        second.sent.set()
        assert await received(turns, second) == b"second"

    asyncio.run(run())


def test_a_message_that_does_not_come_gives_way_to_those_who_wait_and_to_nobody_else() -> None:
    async def run() -> None:
        turns, silent, other = Turns(1, Patience(turn=0.02, of_many=0.01)), Sender(), Sender(b"other")
        call = asyncio.create_task(received(turns, silent))
        await asyncio.sleep(0.1)
        assert not call.done()
        other.sent.set()
        assert await received(turns, other) == b"other"
        with pytest.raises(GaveWay):
            await call

    asyncio.run(run())


def test_a_connection_of_many_silent_messages_takes_no_turn_from_another_for_long() -> None:
    async def run() -> None:
        turns, silent = Turns(2, Patience(turn=60.0, of_many=0.01)), [Sender() for _ in range(10)]
        calls = [asyncio.create_task(received(turns, each, "greedy")) for each in silent]
        await asyncio.sleep(0.05)
        assert not any(call.done() for call in calls)
        other = Sender(b"other")
        other.sent.set()
        assert await received(turns, other, "other") == b"other"
        gave_way = [call for call in calls if call.done()]
        assert 1 <= len(gave_way) <= 2
        for each in silent:
            each.sent.set()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(each, GaveWay) for each in ended) == len(gave_way)

    asyncio.run(run())


def test_as_many_silent_messages_give_way_as_calls_wait() -> None:
    async def run() -> None:
        turns, silent = Turns(3, Patience(turn=0.02, of_many=0.01)), [Sender() for _ in range(3)]
        calls = [asyncio.create_task(received(turns, each, f"{number}")) for number, each in enumerate(silent)]
        await asyncio.sleep(0.1)
        others = [Sender(b"other"), Sender(b"another")]
        for each in others:
            each.sent.set()
        found = await asyncio.gather(*(received(turns, each, "other") for each in others))
        assert found == [b"other", b"another"]
        assert [call.done() for call in calls] == [True, True, False]
        silent[2].sent.set()
        assert await calls[2] == b""

    asyncio.run(run())


def test_a_message_that_takes_longer_than_it_may_is_given_up_though_nobody_waits() -> None:
    async def run() -> None:
        turns, silent = Turns(1), Sender()
        async with turns.turn("one"):
            with pytest.raises(GaveWay) as caught:
                await turns.received("one", silent.message(), 0.2)
        assert caught.value.seconds >= 0.2
        other = Sender(b"other")
        other.sent.set()
        assert await received(turns, other) == b"other"

    asyncio.run(run())


def test_a_message_that_fails_by_itself_is_not_said_to_have_been_waited_for() -> None:
    async def message() -> bytes:
        raise TimeoutError

    async def run() -> None:
        turns = Turns(1)
        async with turns.turn("one"):
            with pytest.raises(TimeoutError):
                await turns.received("one", message(), 60.0)

    asyncio.run(run())


def test_a_turn_that_comes_as_its_call_stops_waiting_goes_to_the_next() -> None:
    async def run() -> None:
        turns, first = Turns(1), Sender()
        calls = [asyncio.create_task(received(turns, first))]
        await settled()
        waiting = [Sender(bytes([number])) for number in range(2)]
        calls += [asyncio.create_task(received(turns, each)) for each in waiting]
        await settled()
        first.sent.set()
        await asyncio.sleep(0)
        calls[1].cancel()
        await settled()
        assert waiting[1].asked
        waiting[1].sent.set()
        assert await calls[2] == b"\x01"
        again = Sender(b"again")
        again.sent.set()
        assert await received(turns, again) == b"again"

    asyncio.run(run())


@pytest.mark.parametrize("cancelled", [(1, 0), (0, 1)])
def test_a_call_that_is_cancelled_while_it_waits_or_receives_leaves_its_turn(cancelled: tuple[int, ...]) -> None:
    async def run() -> None:
        turns, senders = Turns(1), [Sender() for _ in range(3)]
        calls = [asyncio.create_task(received(turns, each)) for each in senders]
        await settled()
        for number in cancelled:
            calls[number].cancel()
        await settled()
        assert all(calls[number].cancelled() for number in cancelled)
        assert senders[2].asked
        senders[2].sent.set()
        assert await calls[2] == b""

    asyncio.run(run())


def test_a_connection_whose_calls_are_all_cancelled_at_once_leaves_every_turn() -> None:
    async def run() -> None:
        turns, senders = Turns(2), [Sender() for _ in range(8)]
        calls = [asyncio.create_task(received(turns, each, "gone")) for each in senders]
        await settled()
        for call in calls:
            call.cancel()
        assert all(
            isinstance(each, asyncio.CancelledError) for each in await asyncio.gather(*calls, return_exceptions=True)
        )
        for _ in range(3):
            later = [Sender(b"later"), Sender(b"later")]
            for each in later:
                each.sent.set()
            assert await asyncio.gather(*(received(turns, each) for each in later)) == [b"later", b"later"]

    asyncio.run(run())


def test_a_gate_receives_the_large_messages_of_one_caller_in_turn_and_uploads_beside_calls() -> None:
    async def run() -> None:
        gate = CallerLimits(CallLimits(messages=2))
        senders = [Sender(b"x" * (20 << 10)) for _ in range(3)]
        seen: list[int] = []

        async def call(sender: Sender) -> None:
            async with gate.message("", "one", sender.message, len) as message:
                seen.append(message)

        async def upload(sender: Sender) -> None:
            seen.extend([len(each) async for each in gate.each("", "one", sender.messages())])

        calls = [asyncio.create_task(call(each)) for each in senders]
        beside = Sender(b"chunk")
        calls.append(asyncio.create_task(upload(beside)))
        await settled()
        assert [each.asked for each in senders] == [True, True, False]
        assert beside.asked
        for each in (*senders, beside):
            each.sent.set()
        await asyncio.gather(*calls)
        assert sorted(seen) == [5, 20 << 10, 20 << 10, 20 << 10]

    asyncio.run(run())


def test_bytes_of_messages_are_limited_as_a_setting_says() -> None:
    settings = ServerSettings(max_message_bytes=64 << 20, max_received_bytes=512 << 20)
    assert settings.call_limits.messages == 8
    assert ServerSettings(max_message_bytes=64 << 20, max_received_bytes=1).call_limits.messages == 1


def test_the_refusals_say_what_is_the_matter() -> None:
    assert "8 messages are under way already" in str(TooManyMessages(8))
    assert "within 10 s" in str(MessageTimedOut(10.0))
