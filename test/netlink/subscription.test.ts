import { read } from 'node:fs';
import { promisify } from 'node:util';
import test from 'ava';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import { decodeLink } from '../../src/netlink/link.ts';
import { NETLINK_ROUTE } from '../../src/netlink/socket.ts';
import { decodeEvents, EVENT_SIZE, GROUPS, isAnswer, subscribe } from '../../src/netlink/subscription.ts';
import { createNamespace } from '../helpers/namespace.ts';
import { decodesOrRefuses } from './damage.ts';

test('what somebody changes is told, with who it was', async (t) => {
	const namespace = createNamespace(t, 'events');
	const opened = openNetworkNamespace(namespace.path);
	t.teardown(() => opened.close());
	const { descriptor, wake, close } = opened.run(() => subscribe(NETLINK_ROUTE, [GROUPS.link, GROUPS.route4]));
	t.teardown(close);
	const buffer = Buffer.alloc(EVENT_SIZE);
	const next = async () => {
		const { bytesRead } = await promisify(read)(descriptor, buffer, 0, EVENT_SIZE, null);
		return decodeEvents(buffer.subarray(0, bytesRead));
	};
	t.deepEqual((await next()).map(isAnswer), [true], 'to the request with which the socket gets its address');
	namespace.must(['ip', 'link', 'set', 'lo', 'up']);
	const told: number[] = [];
	while (!told.includes(24)) {
		for (const { type, payload, sender } of await next()) {
			told.push(type);
			if (type === 16) t.true(decodeLink(payload).up);
			t.true(sender >= 0);
		}
	}
	t.true(told.includes(16));
	wake();
	let woken = await next();
	while (!woken.some(isAnswer)) woken = await next();
	t.is(woken.length, 1, 'who waits wakes up');
});

test('what is cut off is refused', (t) => {
	const message = Buffer.alloc(20);
	message.writeUInt32LE(20, 0);
	message.writeUInt16LE(24, 4);
	message.writeUInt32LE(4711, 12);
	t.like(decodeEvents(Buffer.concat([message, message]))[1], { type: 24, sender: 4711 });
	t.is(decodeEvents(Buffer.concat([Buffer.from([0]), message]).subarray(1))[0]?.sender, 4711);
	for (let length = 1; length < message.length; length++) {
		t.false(decodesOrRefuses(t, decodeEvents, message.subarray(0, length)));
	}
});
