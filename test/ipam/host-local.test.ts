import test from 'ava';
import fc from 'fast-check';
import {
	addressOfFile,
	decodeReservation,
	encodeReservation,
	isBookkeeping,
	lastReservedFile,
} from '../../src/ipam/host-local.ts';

const containerId = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,80}$/);
const ifname = fc.stringMatching(/^[a-z][a-z0-9@_.-]{0,14}$/);

for (const [title, text, expected] of [
	['as host-local writes it', 'abc\r\neth0', { containerId: 'abc', ifname: 'eth0', isExported: false }],
	['as an export writes it', 'abc\r\neth0\n', { containerId: 'abc', ifname: 'eth0', isExported: true }],
	['old form', 'abc', { containerId: 'abc', ifname: undefined, isExported: false }],
	['old form with a newline', 'abc\n', { containerId: 'abc', ifname: undefined, isExported: false }],
	['blanks around', ' abc \r\neth0 \t', { containerId: 'abc', ifname: 'eth0', isExported: false }],
	['empty', '', undefined],
	['white space alone', ' \r\n\n', undefined],
	['cut behind the line break', 'abc\r\n', undefined],
	['cut in the line break', 'abc\r', undefined],
	['zeros, as a crash of the machine leaves it', '\0\0\0', undefined],
	['zeros in the middle', 'abc\r\n\0\0\0\0', undefined],
	['three lines', 'abc\r\neth0\r\neth1', undefined],
	['lines that end otherwise', 'abc\neth0', undefined],
	['a path as the container', '../etc\r\neth0', undefined],
	['a path as the interface', 'abc\r\n../..', undefined],
	['an interface that is too long', `abc\r\n${'x'.repeat(16)}`, undefined],
] as const) {
	test(`content: ${title}`, (t) => {
		t.deepEqual(decodeReservation(text), expected);
	});
}

test('what is written is read', (t) => {
	fc.assert(
		fc.property(containerId, ifname, (id, name) => {
			const attachment = { containerId: id, ifname: name };
			t.deepEqual(decodeReservation(encodeReservation(attachment)), { ...attachment, isExported: true });
		}),
	);
	t.pass();
});

test('a file that was cut is never somebody with another interface', (t) => {
	fc.assert(
		fc.property(containerId, ifname, fc.nat(), (id, name, at) => {
			const text = `${id}\r\n${name}`;
			const cut = decodeReservation(text.slice(0, at % text.length));
			// A name that was cut within cannot be told from a shorter one.
			t.true(cut === undefined || (id.startsWith(cut.containerId) && name.startsWith(cut.ifname ?? '')));
		}),
	);
	t.pass();
});

test('names of addresses', (t) => {
	t.is(addressOfFile('9.0.1.2'), '9.0.1.2');
	t.is(addressOfFile('fd00::1'), 'fd00::1');
	t.is(addressOfFile('FD00:0::1'), 'fd00::1');
	for (const name of ['lock', 'last_reserved_ip.0', '9.0.1.2.tmp', '9.0.1', 'fd00__1', '']) {
		t.is(addressOfFile(name), undefined, name);
	}
});

test('names of other files', (t) => {
	for (const name of ['lock', 'last_reserved_ip', lastReservedFile(0), lastReservedFile(12)]) {
		t.true(isBookkeeping(name), name);
	}
	for (const name of ['lock2', '9.0.1.2', 'last_reserved_ip.x']) t.false(isBookkeeping(name), name);
});
