// A rater of a blind test, driven through Chromium: plays the whole page through, reports what it saw.
// node blind_test_rater.js CHROMIUM PAGE_URL ONE_PEER_PAGE_URL WISHES_JSON OUT_FOLDER, with WISHES_JSON a
// file of {video file name: true for those to prefer}. One JSON object on standard output.
"use strict";

const fs = require("fs");
const path = require("path");
const { fileURLToPath } = require("url");
const { chromium } = require("playwright-core");

const [executablePath, url, onePeerUrl, wishesFile, out] = process.argv.slice(2);
const preferred = JSON.parse(fs.readFileSync(wishesFile, "utf-8"));
// Only so that a hang ends at some time.
const TIMEOUT_MS = 120000;
const VIEWPORT = { width: 1280, height: 720 };

async function main() {
  const args = ["--headless=new", "--no-sandbox", "--disable-gpu"];
  const browser = await chromium.launch({ executablePath, args });
  const page = await (await browser.newContext({ viewport: VIEWPORT, acceptDownloads: true })).newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  const saw = { errors: [], requests: [], progress: [] };
  page.on("pageerror", (error) => saw.errors.push(String(error.stack)));
  page.on("console", (message) => message.type() === "error" && saw.errors.push(message.text()));
  page.on("request", (request) => saw.requests.push(request.url()));
  page.on("dialog", (dialog) => dialog.accept());

  const picture = (name) => page.screenshot({ path: path.join(out, `${name}.png`) });
  const ready = () => page.waitForSelector('#rate:not([hidden])[aria-busy="false"]');
  const progress = () => page.textContent("#progress");
  const shown = () =>
    page.evaluate(() => ["left", "right"].map((id) => document.getElementById(id).currentSrc.split("/").pop()));
  const wish = async () => (preferred[(await shown())[0]] ? "left" : "right");
  const ofVideos = (property) =>
    page.evaluate((name) => ["left", "right", "sharp"].map((id) => document.getElementById(id)[name]), property);
  const until = (test) => page.waitForFunction(test, undefined, { polling: 50 });
  const next = async (before) => {
    await page.waitForFunction((text) => document.getElementById("progress").textContent !== text, before);
    await ready();
  };

  await page.goto(url);
  await page.waitForSelector("#start:not([hidden])");
  saw.title = await page.title();
  saw.source = await page.content();
  await picture("start");

  // The first pair: the players, then a choice by click.
  await page.click("#begin");
  await ready();
  saw.document_px = await page.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    return [scrollWidth, scrollHeight];
  });
  await until(() => document.getElementById("left").currentTime > 0.3);
  await page.keyboard.press("Space");
  saw.paused_by_space = await ofVideos("paused");
  await picture("first_pair");
  await page.keyboard.press("r");
  await until(() => !document.getElementById("left").paused && document.getElementById("left").currentTime > 0);
  saw.paused_after_restart = await ofVideos("paused");
  // A loop has been gone round when time has run backwards.
  await page.evaluate(() => {
    const left = document.getElementById("left");
    let last = left.currentTime;
    left.addEventListener("timeupdate", () => {
      if (left.currentTime < last) window.hasLooped = true;
      last = left.currentTime;
    });
  });
  await until(() => window.hasLooped === true);
  await page.click("#loop");
  await until(() => ["left", "right", "sharp"].every((id) => document.getElementById(id).ended));
  await until(() => document.getElementById("play").textContent.startsWith("Play"));

  // One video is carried off; without a loop to mend it, the players bring all together again.
  await page.click("#play");
  await until(() => document.getElementById("left").currentTime > 0 && !document.getElementById("left").paused);
  saw.apart_s = await page.evaluate(() => {
    const [left, right] = ["left", "right"].map((id) => document.getElementById(id));
    right.currentTime = left.currentTime + 0.6;
    return right.currentTime - left.currentTime;
  });
  await until(() => {
    const videos = ["left", "right", "sharp"].map((id) => document.getElementById(id));
    const times = videos.map((video) => video.currentTime);
    const running = videos.every((video) => !video.ended && !video.paused && !video.seeking);
    return running && Math.max(...times) - Math.min(...times) < 0.1;
  });
  await page.keyboard.press("l");
  saw.progress.push(await progress());
  await page.click(`#choose_${await wish()}`);
  await next(saw.progress[0]);

  // Space after a choice by click plays or pauses, and does not choose again.
  await page.keyboard.press("Space");
  await until(() => document.getElementById("left").paused);
  saw.progress.push(await progress());

  // The second is chosen wrongly by key; then back, and chosen again.
  const wrong = (await wish()) === "left" ? "ArrowRight" : "ArrowLeft";
  await page.keyboard.press(wrong);
  await next(saw.progress[1]);
  await page.keyboard.press("Backspace");
  await next("Pair 3 of 6");
  saw.marked_after_back = await page.evaluate(() =>
    Array.from(document.querySelectorAll('#choices [aria-pressed="true"]'), (button) => button.id),
  );
  saw.wrong_choice = wrong;
  await picture("after_back");
  await page.keyboard.press((await wish()) === "left" ? "ArrowLeft" : "ArrowRight");
  await next(saw.progress[1]);

  // The third is skipped; at the fourth the page is closed and opened again.
  saw.progress.push(await progress());
  await page.keyboard.press("s");
  await next(saw.progress[2]);
  saw.before_reload = [await progress(), ...(await shown())];
  await page.reload();
  await page.waitForSelector("#start:not([hidden])");
  saw.resume_note = await page.textContent("#resume_note");
  await picture("resume");
  await page.keyboard.press("Enter");
  await ready();
  saw.after_reload = [await progress(), ...(await shown())];

  // The others by key.
  for (let left = 3; left > 0; left--) {
    saw.progress.push(await progress());
    await page.keyboard.press((await wish()) === "left" ? "ArrowLeft" : "ArrowRight");
    if (left > 1) await next(saw.progress.at(-1));
  }
  await page.waitForSelector("#end:not([hidden])");
  await picture("end");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  saw.download = download.suggestedFilename();
  await download.saveAs(path.join(out, saw.download));
  await picture("saved");

  // Opened again, the page is where it was; the next rater starts from nothing.
  await page.reload();
  await page.waitForSelector("#end:not([hidden])");
  await page.click("#another");
  await page.waitForSelector("#start:not([hidden])");
  saw.begin_anew = await page.textContent("#begin");

  // Videos that the browser cannot play can only be skipped.
  const videos = path.join(path.dirname(fileURLToPath(url)), "videos");
  for (const name of fs.readdirSync(videos)) fs.writeFileSync(path.join(videos, name), "no video");
  await page.click("#begin");
  await ready();
  saw.trouble = await page.textContent("#trouble");
  saw.open_choices = await page.locator("#choices button:enabled").allTextContents();
  await picture("trouble");

  // What many raters are given where each sees a clip once.
  await page.goto(onePeerUrl);
  saw.draws = await page.evaluate(() => Array.from({ length: 60 }, newSession));

  await browser.close();
  process.stdout.write(JSON.stringify(saw));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
