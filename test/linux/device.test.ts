import test from 'ava';
import { deviceExists } from '../../src/linux/device.ts';

test('a device of this network namespace is seen, and one that is not there is not', (t) => {
	t.true(deviceExists('lo'));
	t.false(deviceExists('no-such-device'));
});
