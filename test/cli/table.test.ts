import test from 'ava';
import { formatAge, formatTable } from '../../src/cli/table.ts';

test('columns are as wide as their widest cell, and lines end with their last one', (t) => {
	t.is(
		formatTable(
			['NAME', 'N', 'LAST'],
			[
				['a', '100', 'x'],
				['longer', '1', ''],
			],
		),
		['NAME    N    LAST', 'a       100  x', 'longer  1', ''].join('\n'),
	);
});

for (const [seconds, text] of [
	[-5, '0s'],
	[0.9, '0s'],
	[59, '59s'],
	[60, '1m'],
	[61, '1m 1s'],
	[3599, '59m 59s'],
	[3600, '1h'],
	[3660, '1h 1m'],
	[86_399, '23h 59m'],
	[86_400, '1d'],
	[93_600, '1d 2h'],
	[400 * 86_400, '400d'],
] as const) {
	test(`${seconds} seconds are ${text}`, (t) => {
		t.is(formatAge(seconds), text);
	});
}
