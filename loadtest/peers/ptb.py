"""python-telegram-bot with its AIORateLimiter, which limits a bot and a group, and repeats what a 429 refused."""

import asyncio
import os
import sys

from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest


def bot_of(token):
    # Its default pool of one connection and one second would end in timeouts, not in 429s.
    request = HTTPXRequest(connection_pool_size=64, pool_timeout=600, read_timeout=60)
    base = os.environ["PEER_API"] + "/bot"
    return ExtBot(token, base_url=base, request=request, rate_limiter=AIORateLimiter(max_retries=1000))


async def main():
    bots = [bot_of(token) for token in os.environ["PEER_TOKENS"].split(",")]
    for bot in bots:
        await bot.initialize()
    print("ready", flush=True)
    calls = []
    for line in sys.stdin:
        bot, chat, text = line.split(" ", 2)
        calls.append(bots[int(bot)].send_message(int(chat), text.strip()))
    await asyncio.gather(*calls)
    for bot in bots:
        await bot.shutdown()


asyncio.run(main())
