"""aiogram: at most 30 calls under way per bot; sleeps what a 429 says, and tries again."""

import asyncio
import os
import sys
from collections import defaultdict

# The library has this file's name.
sys.path = [path for path in sys.path if os.path.abspath(path or ".") != os.path.dirname(os.path.abspath(__file__))]

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramRetryAfter

UNDER_WAY = 30


async def send(bot, chat, text):
    while True:
        try:
            return await bot.send_message(chat, text)
        except TelegramRetryAfter as refusal:
            await asyncio.sleep(refusal.retry_after)


async def drain(bot, messages):
    # Workers take the messages of a bot in order; within a chat nothing else keeps it.
    left = iter(messages)

    async def work():
        for chat, text in left:
            await send(bot, chat, text)

    await asyncio.gather(*(work() for _ in range(UNDER_WAY)))


async def main():
    api = TelegramAPIServer.from_base(os.environ["PEER_API"])
    bots = [Bot(token, session=AiohttpSession(api=api)) for token in os.environ["PEER_TOKENS"].split(",")]
    print("ready", flush=True)
    of_bot = defaultdict(list)
    for line in sys.stdin:
        bot, chat, text = line.split(" ", 2)
        of_bot[int(bot)].append((int(chat), text.strip()))
    await asyncio.gather(*(drain(bots[bot], messages) for bot, messages in of_bot.items()))
    for bot in bots:
        await bot.session.close()


asyncio.run(main())
