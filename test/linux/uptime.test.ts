import test from 'ava';
import { uptime } from '../../src/linux/uptime.ts';
import { runOrThrow } from '../helpers/command.ts';

test('seconds since the boot', (t) => {
	const before = Number(runOrThrow(['cut', '-d', ' ', '-f', '1', '/proc/uptime']));
	const found = uptime();
	t.true(found >= before && found < before + 10, `${found} after ${before}`);
});
