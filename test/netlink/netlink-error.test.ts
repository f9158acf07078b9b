import test from 'ava';
import { toCniError } from '../../src/cni/errors.ts';
import { isKernelError, NetlinkError, tolerating } from '../../src/netlink/netlink-error.ts';

const exists = new NetlinkError('creating bridge "m-dcos"', 'EEXIST', 'File exists already');

test('an error says what was tried, why, and by which name the kernel calls it', (t) => {
	t.is(exists.message, 'creating bridge "m-dcos": File exists already (EEXIST)');
	t.is(new NetlinkError('x', 'ENODEV').message, 'x: ENODEV');
	t.is(new NetlinkError('x', 'ENODEV', '').message, 'x: ENODEV');
	t.like(exists, { operation: 'creating bridge "m-dcos"', code: 'EEXIST', name: 'NetlinkError' });
});

test('it becomes CNI error 100, a timeout 11: try again later', (t) => {
	t.is(toCniError(exists).code, 100);
	t.is(toCniError(new NetlinkError('x', 'ETIMEDOUT')).code, 11);
});

test('an error is told by its code', (t) => {
	t.true(isKernelError(exists, 'ENODEV', 'EEXIST'));
	t.false(isKernelError(exists, 'ENODEV'));
	t.false(isKernelError(exists));
	t.false(isKernelError(Object.assign(new Error('x'), { code: 'EEXIST' }), 'EEXIST'));
});

test('tolerated errors are told by the returned value, others go on', (t) => {
	const fails = () => {
		throw exists;
	};
	t.true(tolerating(['EEXIST'], () => {}));
	t.false(tolerating(['ENOENT', 'EEXIST'], fails));
	t.is(
		t.throws(() => tolerating(['ENOENT'], fails)),
		exists,
	);
});
