// What the test runner makes of ava's report.

import test from 'ava';
import { countTests } from '../../build/ava-report.ts';

const count = test.macro<[lines: string[], passed: number, failed: number, skipped?: string[]]>({
	exec(t, lines, passed, failed, skipped = []) {
		t.deepEqual(countTests(lines), { passed, failed, skipped });
	},
	title: (title) => `counting ${title}`,
});

test('passed tests, an expected failure among them', count, ['  ✔ cni › one (102ms)', '  ✔ [expected fail] two'], 2, 0);
test('failed tests', count, ['  ✘ [fail]: cni › one boom', '  ✘ [unexpected pass]: two', '  ✔ three'], 1, 2);
test(
	'a failed hook and the tests that it kept from running',
	count,
	['  ✘ [fail]: before hook', '  ✘ 3 tests remaining in a'],
	0,
	4,
);
test(
	'a file that crashed, once',
	count,
	['  Uncaught exception in a', '', '  ✘ a exited with a non-zero exit code: 1'],
	0,
	1,
);
test('a killed file', count, ['  ✘ test/a.test.ts exited due to SIGKILL'], 0, 1);
test('tests that hang', count, ['  ✘ Timed out while running tests', '  ◌ one', '  ◌ two'], 0, 2);
test('a file that hangs', count, ['  Failed to exit when running test/a.test.ts'], 0, 1);
test('a file without tests', count, ['  ✘ No tests found in test/a.test.ts'], 0, 1);
test('skipped tests by their titles', count, ['  - [skip] one (skipped: no root)', '  - [todo] two'], 0, 0, [
	'one (skipped: no root)',
	'two',
]);
test(
	'nothing twice: the failures in full come after the line',
	count,
	['  ✔ one', '  ─', '  ✔ one', '  ✘ [fail]: two'],
	1,
	0,
);
test('nothing that a test has logged', count, ['  ✔ one', '    ℹ ✔ two', '      ✘ [fail]: three'], 1, 0);
test('in colour', count, ['  \u001B[32m✔\u001B[39m one', '  \u001B[33m- [skip] two\u001B[39m'], 1, 0, ['two']);
