// Files by system calls of our own, compared with what node:fs sees.

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { SystemCallError } from '../../src/linux/errno.ts';
import {
	closeFile,
	linkFile,
	listDirectory,
	makeDirectory,
	O_CREAT,
	O_EXCL,
	O_NOFOLLOW,
	O_RDONLY,
	O_RDWR,
	openFile,
	readAt,
	readNext,
	readText,
	statusOf,
	unlinkFile,
	writeAt,
	writeNext,
} from '../../src/linux/files.ts';

function directory(t: ExecutionContext): string {
	const path = fs.mkdtempSync(`${tmpdir()}/files-`);
	t.teardown(() => fs.rmSync(path, { recursive: true }));
	return path;
}

function opened(t: ExecutionContext, path: string, flags: number, mode = 0o600): number {
	const descriptor = openFile(path, flags, mode);
	t.teardown(() => closeFile(descriptor));
	return descriptor;
}

function fails(t: ExecutionContext, call: () => unknown, code: string, message: string): void {
	t.like(t.throws(call, { instanceOf: SystemCallError }), { code, message: `${message}: ${code}` });
}

test('what is written at a position is read from there, and by node:fs', (t) => {
	const path = `${directory(t)}/file`;
	const descriptor = opened(t, path, O_RDWR | O_CREAT | O_EXCL);
	t.is(writeAt(descriptor, Buffer.from('lease of 9.0.1.2'), 0), 16);
	t.is(writeAt(descriptor, Buffer.from('3'), 15), 1);
	const buffer = Buffer.alloc(64);
	t.is(readAt(descriptor, buffer, 9), 7);
	t.is(buffer.toString('utf8', 0, 7), '9.0.1.3');
	t.is(readAt(descriptor, buffer, 16), 0);
	t.is(fs.readFileSync(path, 'utf8'), 'lease of 9.0.1.3');
	t.is(fs.statSync(path).mode & 0o777, 0o600);
});

test('what is written next is read next, piece by piece', (t) => {
	const path = `${directory(t)}/file`;
	const written = opened(t, path, O_RDWR | O_CREAT);
	writeNext(written, Buffer.from('one'));
	writeNext(written, Buffer.from('two'));
	const read = opened(t, path, O_RDONLY);
	const pieces = [1, 2, 3, 4].map(() => {
		const buffer = Buffer.alloc(4);
		return buffer.toString('utf8', 0, readNext(read, buffer));
	});
	t.deepEqual(pieces, ['onet', 'wo', '', '']);
});

test('a text of any length and language is read whole, from /proc, too', (t) => {
	const path = `${directory(t)}/file`;
	for (const text of ['', 'ü', 'x'.repeat(4095), `${'x'.repeat(4095)}ü`, 'äöü'.repeat(5000)]) {
		fs.writeFileSync(path, text);
		t.is(readText(path), text);
	}
	t.is(readText('/proc/sys/kernel/ostype'), 'Linux\n');
});

test('a file is described as node:fs describes it', (t) => {
	const root = directory(t);
	fs.writeFileSync(`${root}/file`, 'five\n');
	fs.linkSync(`${root}/file`, `${root}/other name`);
	fs.symlinkSync('file', `${root}/link`);
	for (const [path, kind] of [
		[`${root}/file`, 'file'],
		[root, 'directory'],
		[`${root}/link`, 'symbolic link'],
		['/dev/null', 'device, pipe or socket'],
		['/proc/self/exe', 'symbolic link'],
	] as const) {
		const { dev, ino, nlink, uid, mode, size } = fs.lstatSync(path);
		const found = { kind, device: dev, inode: ino, links: nlink, owner: uid, mode: mode & 0o7777, size };
		t.deepEqual(statusOf(path), found);
	}
	t.deepEqual(statusOf(`${root}/link`, { follow: true }), statusOf(`${root}/file`));
	t.deepEqual(statusOf(opened(t, `${root}/file`, O_RDONLY)), statusOf(`${root}/file`));
	const namespace = fs.statSync('/proc/self/ns/net');
	t.like(statusOf('/proc/self/ns/net', { follow: true }), { device: namespace.dev, inode: namespace.ino });
});

test('nothing at a path is no error, but a path that leads nowhere is', (t) => {
	const root = directory(t);
	t.is(statusOf(`${root}/none`), undefined);
	fs.writeFileSync(`${root}/file`, '');
	fails(t, () => statusOf(`${root}/file/none`), 'ENOTDIR', `looking at "${root}/file/none"`);
	fails(t, () => statusOf(12_345), 'EBADF', 'looking at descriptor 12345');
});

test('a name is given once, and removed', (t) => {
	const root = directory(t);
	fs.writeFileSync(`${root}/one`, '');
	linkFile(`${root}/one`, `${root}/two`);
	fails(t, () => linkFile(`${root}/one`, `${root}/two`), 'EEXIST', `linking "${root}/two"`);
	unlinkFile(`${root}/one`);
	fails(t, () => unlinkFile(`${root}/one`), 'ENOENT', `removing "${root}/one"`);
	t.deepEqual(fs.readdirSync(root), ['two']);
});

test('opening says what was tried', (t) => {
	const root = directory(t);
	fails(t, () => openFile(`${root}/none`, O_RDONLY), 'ENOENT', `opening "${root}/none"`);
	fs.symlinkSync('/etc/passwd', `${root}/link`);
	fails(t, () => openFile(`${root}/link`, O_RDONLY | O_NOFOLLOW), 'ELOOP', `opening "${root}/link"`);
	fails(t, () => openFile(`${root}\0/etc`, O_RDONLY), 'EINVAL', `opening "${root}?/etc"`);
	fails(t, () => readNext(12_345, Buffer.alloc(1)), 'EBADF', 'reading descriptor 12345');
	fails(t, () => writeNext(12_345, Buffer.alloc(1)), 'EBADF', 'writing descriptor 12345');
});

test('a descriptor is not inherited', (t) => {
	const descriptor = opened(t, '/dev/null', O_RDONLY);
	t.regex(fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'), /^flags:\s+02[0-7]{6}$/m);
});

test('directories are for root alone', (t) => {
	const root = directory(t);
	makeDirectory(`${root}/a/b`, { recursive: true });
	makeDirectory(`${root}/a/b`, { recursive: true });
	t.is(fs.statSync(`${root}/a/b`).mode & 0o777, 0o700);
	t.throws(() => makeDirectory(`${root}/a`, { recursive: false }), { code: 'EEXIST' });
	t.deepEqual(listDirectory(`${root}/a`), ['b']);
});
