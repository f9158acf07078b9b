// That a message arrives is shown by systemd itself, in test/e2e/systemd.test.ts.
import test from 'ava';
import { SystemCallError } from '../../src/linux/errno.ts';
import { send, socketAddress } from '../../src/linux/service-manager.ts';

test('the address of a socket is its family and its path, or a zero and its name', (t) => {
	t.deepEqual([...socketAddress('/run')], [1, 0, ...Buffer.from('/run')]);
	t.deepEqual([...socketAddress('@a@b')], [1, 0, 0, ...Buffer.from('a@b')]);
});

test('a socket that is not there is an error with its address', (t) => {
	const ofPath = t.throws(() => send('/nowhere/notify', 'READY=1'), { instanceOf: SystemCallError });
	t.is(ofPath?.message, 'telling "/nowhere/notify" READY=1: ENOENT');
	const ofName = t.throws(() => send('@mesos-overlay-nobody', 'READY=1'), { instanceOf: SystemCallError });
	t.is(ofName?.code, 'ECONNREFUSED');
});
