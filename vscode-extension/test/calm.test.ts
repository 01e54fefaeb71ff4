import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { calm } from "../src/calm";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("acts once for all calls of a rest, also for the last one", () => {
  let [acted, rest] = [0, 100];
  const act = calm(() => acted++, () => rest);
  for (let at = 0; at < 25; at++) {
    act(); // every 10 ms
    vi.advanceTimersByTime(10);
  }
  expect(acted).toBe(2);
  vi.advanceTimersByTime(100);
  expect(acted).toBe(3);
  vi.advanceTimersByTime(1000);
  expect(acted).toBe(3);

  rest = 1000; // it is asked for anew each time
  act();
  vi.advanceTimersByTime(999);
  expect(acted).toBe(3);
  vi.advanceTimersByTime(1);
  expect(acted).toBe(4);
});
