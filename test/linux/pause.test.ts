import test from 'ava';
import { pause, waitUntil } from '../../src/linux/pause.ts';

test.serial('a pause lasts as long as it should', (t) => {
	const start = performance.now();
	pause(30);
	const waited = performance.now() - start;
	t.true(waited >= 29 && waited < 1000, `waited ${waited} ms`);
});

test.serial('what is so already is not waited for, even past the deadline', (t) => {
	let looks = 0;
	const start = performance.now();
	t.true(waitUntil(0, () => ++looks > 0));
	t.is(looks, 1);
	t.true(performance.now() - start < 100);
});

test.serial('what will not be so is looked at once more at the deadline, and not for ever', (t) => {
	let looks = 0;
	t.false(waitUntil(0, () => ++looks < 0));
	t.is(looks, 1);
	const start = performance.now();
	t.false(waitUntil(start + 60, () => false));
	const waited = performance.now() - start;
	t.true(waited >= 60 && waited < 1000, `waited ${waited} ms`);
});

test.serial('it looks every 20 ms or more often, but not without end', (t) => {
	let looks = 0;
	t.false(waitUntil(performance.now() + 200, () => ++looks < 0));
	// 17 on a machine that has nothing else to do.
	t.true(looks >= 5 && looks <= 25, `${looks} looks`);
});

test.serial('what comes true is noticed', (t) => {
	let looks = 0;
	t.true(waitUntil(performance.now() + 10_000, () => ++looks === 4));
	t.is(looks, 4);
});

test.serial('an error of the look goes on', (t) => {
	t.throws(
		() =>
			waitUntil(performance.now() + 1000, () => {
				throw new Error('no look');
			}),
		{ message: 'no look' },
	);
});
