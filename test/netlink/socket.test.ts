import { readdirSync } from 'node:fs';
import test from 'ava';
import { listAddresses } from '../../src/netlink/address.ts';
import { findLink } from '../../src/netlink/link.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { NETLINK_ROUTE, openConnection } from '../../src/netlink/socket.ts';

const UNSOLICITED = { operation: 'asking for nothing', type: 1, flags: 0, fixed: Buffer.alloc(4), attributes: [] };

test.serial('the kernel is asked for its loopback, and for what is not there', (t) => {
	const connection = openConnection(NETLINK_ROUTE, performance.now() + 5000);
	t.teardown(() => connection.close());
	const loopback = findLink(connection, 'lo');
	t.like(loopback, { index: 1, name: 'lo', kind: '', master: 0 });
	t.deepEqual(findLink(connection, 1), loopback);
	t.is(findLink(connection, 'no-such-device'), undefined);
	t.true(listAddresses(connection, { index: 1, name: 'lo' }).some(({ cidr }) => cidr === '127.0.0.1/8'));
	t.notThrows(() => connection.execute());
});

test.serial('what is said already is read even past the deadline', (t) => {
	const connection = openConnection(NETLINK_ROUTE, performance.now() - 1);
	t.teardown(() => connection.close());
	t.is(findLink(connection, 'lo')?.index, 1);
});

test.serial('a kernel that keeps silent is waited for until the deadline', (t) => {
	const start = performance.now();
	const connection = openConnection(NETLINK_ROUTE, start + 50);
	t.teardown(() => connection.close());
	// NLMSG_NOOP is not answered unless it asks for an acknowledgement.
	const error = t.throws(() => connection.get(UNSOLICITED), { instanceOf: NetlinkError });
	t.is(error.code, 'ETIMEDOUT');
	t.is(error.message, 'waiting for the kernel: no answer (ETIMEDOUT)');
	const waited = performance.now() - start;
	t.true(waited >= 50 && waited < 1000, `waited ${waited} ms`);
});

test.serial('a part of the kernel that does not exist', (t) => {
	t.throws(() => openConnection(31, 0), {
		message: 'opening a netlink socket: EPROTONOSUPPORT',
		instanceOf: NetlinkError,
	});
});

test.serial('a connection that is closed leaves no descriptor', (t) => {
	const before = readdirSync('/proc/self/fd').length;
	for (let at = 0; at < 5; at++) openConnection(NETLINK_ROUTE, 0).close();
	t.is(readdirSync('/proc/self/fd').length, before);
});
