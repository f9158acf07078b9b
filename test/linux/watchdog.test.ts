import { alarm } from '#libc';
import test from 'ava';
import { armWatchdog } from '../../src/linux/watchdog.ts';

/** alarm(0) takes the alarm back, and says how many seconds it had left. */
const secondsLeft = () => alarm(0);

for (const [title, left, seconds] of [
	['some seconds after the deadline', 1500, 7],
	['after a deadline that is over', -60_000, 6],
	['after the usual deadline', 30_000, 35],
] as const) {
	test.serial(`the kernel ends the process ${title}`, (t) => {
		armWatchdog(performance.now() + left);
		t.is(secondsLeft(), seconds);
	});
}

test.serial('the last deadline counts', (t) => {
	armWatchdog(performance.now() + 60_000);
	armWatchdog(performance.now() + 1500);
	t.is(secondsLeft(), 7);
	t.is(secondsLeft(), 0);
});
