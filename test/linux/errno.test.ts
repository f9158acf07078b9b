import { constants } from 'node:os';
import test from 'ava';
import { errnoName, SystemCallError } from '../../src/linux/errno.ts';

const aliases = new Set(['EAGAIN', 'EDEADLK', 'EOPNOTSUPP']);

test('every error that Node knows has the same name', (t) => {
	for (const [name, errno] of Object.entries(constants.errno)) {
		const known = errnoName(errno);
		if (!aliases.has(known)) t.is(known, name);
	}
	t.is(errnoName(11), 'EAGAIN');
	t.is(errnoName(95), 'EOPNOTSUPP');
	t.is(errnoName(133), 'EHWPOISON');
});

for (const errno of [0, -1, 41, 134, 4095]) {
	test(`number ${errno}, which has no name, is told as a number`, (t) => {
		t.is(errnoName(errno), `errno ${errno}`);
	});
}

test('a system call error says what was tried, and has code, number and CNI code', (t) => {
	const error = new SystemCallError('locking a file', 9);
	t.is(error.message, 'locking a file: EBADF');
	t.like(error, { code: 'EBADF', errno: 9, cniCode: 100 });
});
