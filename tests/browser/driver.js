// One Chromium page, steered by JSON lines on standard input; each is answered by one JSON line.
"use strict";

const path = require("path");
const readline = require("readline");
const { chromium } = require("playwright-core");

const [executablePath, timeoutText] = process.argv.slice(2);
const timeoutMs = Number(timeoutText);
const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let browser;
let page;
const uncaught = [];

const commands = {
  // A new context each time: nothing that the front end remembers reaches the next test.
  async open({ url, width, height }) {
    await page?.context().close();
    uncaught.length = 0;
    page = await (await browser.newContext({ viewport: { width, height } })).newPage();
    page.setDefaultTimeout(timeoutMs);
    page.on("pageerror", (error) => uncaught.push(String(error.stack)));
    await page.addInitScript({ path: path.join(__dirname, "in_page.js") });
    await page.goto(url);
  },
  call: ({ name, values }) => page.evaluate(([n, v]) => window.inPage[n](...v), [name, values]),
  // Polled by time and not by animation frame: frames may be slow in coming without a GPU.
  async wait({ name, values }) {
    await page.waitForFunction(([n, v]) => window.inPage[n](...v), [name, values], { polling: 200 });
  },
  click: ({ selector }) => page.locator(selector).first().click(),
  screenshot: async ({ file }) => void (await page.screenshot({ path: file })),
  uncaught: () => uncaught,
};

// Playwright limits the time of clicks and waits, but not of what runs inside the page.
async function inTime(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer from the page in ${timeoutMs} ms.`)), timeoutMs + 5000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function answerTo(line) {
  const { command, ...options } = JSON.parse(line);
  try {
    return JSON.stringify({ value: (await inTime(commands[command](options))) ?? null });
  } catch (error) {
    return JSON.stringify({ error: `${command} ${JSON.stringify(options).slice(0, 200)}: ${error.message}` });
  }
}

async function main() {
  browser = await chromium.launch({ executablePath, args: FLAGS, timeout: timeoutMs });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write((await answerTo(line)) + "\n");
  }
  await browser.close();
}

main().catch((error) => {
  process.stdout.write(JSON.stringify({ error: error.message }) + "\n");
  process.exit(1);
});
