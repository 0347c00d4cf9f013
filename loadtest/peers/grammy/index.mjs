// grammY: the throttler first, auto-retry outside of it; everything is handed over at once.
import { createInterface } from "node:readline";
import { autoRetry } from "@grammyjs/auto-retry";
import { apiThrottler } from "@grammyjs/transformer-throttler";
import { Api } from "grammy";

const apis = process.env.PEER_TOKENS.split(",").map((token) => {
  const api = new Api(token, { apiRoot: process.env.PEER_API });
  api.config.use(apiThrottler());
  api.config.use(autoRetry());
  return api;
});
console.log("ready");

const calls = [];
for await (const line of createInterface({ input: process.stdin })) {
  const [bot, chat, text] = line.split(" ");
  calls.push([apis[bot], Number(chat), text]);
}
await Promise.all(calls.map(([api, chat, text]) => api.sendMessage(chat, text)));
process.exit(0);
