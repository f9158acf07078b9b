import { once } from 'node:events';
import { createSocket, type Socket } from 'node:dgram';
import test, { type ExecutionContext } from 'ava';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import { be32, bytes, nested, u8 } from '../../src/netlink/attribute.ts';
import { connect } from '../../src/netlink/connection.ts';
import { forgetTracked, type TrackedFilter } from '../../src/netlink/conntrack.ts';
import { decodeCount, decodeTracked, identityOf } from '../../src/netlink/conntrack-message.ts';
import { NETLINK_NETFILTER, openConnection } from '../../src/netlink/socket.ts';
import { acknowledgement, type Answer, dump, fakeKernel, message, refusal } from '../helpers/fake-kernel.ts';
import { createNamespace } from '../helpers/namespace.ts';
import { testOn } from '../helpers/requirements.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';

const UDP = 17;
const PORT = 5353;

const families = {
	IPv4: { host: '10.0.0.1', other: '10.0.0.9', containers: ['10.0.0.2', '10.0.0.3'] },
	IPv6: { host: 'fd00::1', other: 'fd00::9', containers: ['fd00::2', 'fd00::3'] },
} as const;

interface Stage {
	/** Sends from one and the same port to the host's, and says which container answers. */
	ask(): Promise<string>;
	forget(...filters: TrackedFilter[]): void;
	/** From now on, the host's port leads to this container. */
	leadTo(container: string): void;
}

/** A host with a UDP port that leads to one of two containers, which are addresses of its own. */
function createStage(t: ExecutionContext, family: keyof typeof families): Stage {
	const { host, other, containers } = families[family];
	const namespace = createNamespace(t, 'ct');
	const prefix = family === 'IPv4' ? 32 : 128;
	namespace.must(['ip', 'link', 'set', 'lo', 'up']);
	for (const address of [host, other, ...containers]) {
		namespace.must(['ip', 'address', 'add', `${address}/${prefix}`, 'dev', 'lo']);
	}
	const protocol = family === 'IPv4' ? 'ip' : 'ip6';
	namespace.must([
		'nft',
		`add table inet t;
		add map inet t ports { type inet_proto . inet_service : ${protocol === 'ip' ? 'ipv4' : 'ipv6'}_addr . inet_service; };
		add chain inet t output { type nat hook output priority -100; };
		add rule inet t output fib daddr type local dnat ${protocol} to meta l4proto . th dport map @ports`,
	]);
	const opened = openNetworkNamespace(namespace.path);
	t.teardown(() => opened.close());
	const bind = (port: number, address: string): Socket => {
		// With a lookup that answers at once, the socket is made while the thread is in the namespace.
		const type = family === 'IPv4' ? 'udp4' : 'udp6';
		const socket = opened.run(() =>
			createSocket({ type, lookup: (name, _, done) => done(null, name, 4) }).bind(port, address),
		);
		t.teardown(() => socket.close());
		return socket;
	};
	for (const address of containers) {
		const server = bind(53, address);
		server.on('message', (_, peer) => server.send(address, peer.port, peer.address));
	}
	const client = bind(0, other);
	const connection = opened.run(() => openConnection(NETLINK_NETFILTER, performance.now() + 30_000));
	t.teardown(() => connection.close());
	return {
		async ask() {
			const answered = once(client, 'message', { signal: AbortSignal.timeout(5000) });
			client.send('?', PORT, host);
			return String((await answered)[0]);
		},
		forget: (...filters) => forgetTracked(connection, filters),
		leadTo: (container) =>
			namespace.must([
				'nft',
				`flush map inet t ports; add element inet t ports { udp . ${PORT} : ${container} . 53 }`,
			]),
	};
}

for (const family of ['IPv4', 'IPv6'] as const) {
	const { host, other, containers } = families[family];
	const [old, young] = containers;
	const meant: Record<string, TrackedFilter[]> = {
		'by port': [{ protocol: UDP, port: PORT }],
		'by port and address': [{ protocol: UDP, port: PORT, address: host }],
		'by the container': [{ repliesFrom: old }],
		'by one of many': Array.from({ length: 12 }, (_, at) => ({ protocol: UDP, port: PORT - at })),
		'by all there is': [{ protocol: UDP, port: PORT, address: host, repliesFrom: old }],
	};
	for (const [way, filters] of Object.entries(meant)) {
		testOn(
			['nftables-bridge', 'ipv6'],
			`${family}: a port that leads elsewhere does so when forgotten ${way}`,
			async (t) => {
				const { ask, forget, leadTo } = createStage(t, family);
				leadTo(old);
				t.is(await ask(), old);
				leadTo(young);
				t.is(await ask(), old, 'what the kernel remembers');
				forget(...filters);
				t.is(await ask(), young);
			},
		);
	}

	const others: Record<string, TrackedFilter> = {
		port: { protocol: UDP, port: PORT + 1 },
		protocol: { protocol: 6, port: PORT },
		address: { protocol: UDP, port: PORT, address: other },
		container: { repliesFrom: young },
		family: { protocol: UDP, port: PORT, address: family === 'IPv4' ? 'fd00::1' : '10.0.0.1' },
	};
	testOn(
		['nftables-bridge', 'ipv6'],
		`${family}: what is about another port, protocol, address or container stays`,
		async (t) => {
			const { ask, forget, leadTo } = createStage(t, family);
			leadTo(old);
			await ask();
			leadTo(young);
			for (const [difference, filter] of Object.entries(others)) {
				forget(filter);
				t.is(await ask(), old, `another ${difference}`);
			}
			forget(...Object.values(others), ...Object.values(others));
			t.is(await ask(), old, 'all of them');
		},
	);
}

const CTA_ID = 12;
const CTA_ZONE = 18;
const identity = [bytes(CTA_ID, Uint8Array.of(1, 2, 3, 4)), bytes(CTA_ZONE, Uint8Array.of(0, 7))];

/** A UDP connection to a port of the host, as the kernel lists it. */
function tracked(port: number): Buffer {
	const tuple = (type: number, from: number, to: number) =>
		nested(
			type,
			nested(1, bytes(1, Uint8Array.of(10, 0, 0, from)), bytes(2, Uint8Array.of(10, 0, 0, to))),
			nested(2, u8(1, UDP), bytes(2, Uint8Array.of(0x80, 0)), bytes(3, Uint8Array.of(port >> 8, port))),
		);
	return Buffer.concat([
		Buffer.of(2, 0, 0, 0),
		tuple(1, 9, 1),
		tuple(2, 2, 9),
		bytes(3, new Uint8Array(4)),
		...identity,
	]);
}

test('what the kernel says of a connection', (t) => {
	t.deepEqual(decodeTracked(tracked(PORT)), {
		protocol: UDP,
		port: PORT,
		address: Buffer.from([10, 0, 0, 1]),
		repliesFrom: Buffer.from([10, 0, 0, 2]),
	});
	refusesCuts(t, decodeTracked, tracked(PORT), 4, { optional: false });
	survivesGarbage(t, decodeTracked, tracked(PORT));
	survivesGarbage(t, identityOf, tracked(PORT));
});

const LIST = 0x101;
const FORGET = 0x102;
const COUNT = 0x105;
const isFilter = (payload: Buffer): boolean => payload.includes(Buffer.from('1980', 'hex'));

const counted = (count: number): Buffer => Buffer.concat([Buffer.alloc(4), be32(1, count)]);

/** A kernel before 6.11, which lists two connections and knows of no filters when it is to forget. */
function oldKernel(onForget: Answer): Answer {
	return (request) => {
		if (request.type === COUNT) return [message(request, COUNT, counted(2))];
		if (request.type === LIST) return dump(request, [tracked(PORT), tracked(PORT + 1)]);
		return isFilter(request.payload) ? [refusal(request, 'EINVAL')] : onForget(request);
	};
}

test('an older kernel is told which connections to forget, one by one', (t) => {
	const kernel = fakeKernel(oldKernel((request) => [acknowledgement(request)]));
	forgetTracked(connect(kernel), [{ protocol: UDP, port: PORT, address: '10.0.0.1' }]);
	const forgotten = kernel.requests.filter(({ type, payload }) => type === FORGET && !isFilter(payload));
	t.is(forgotten.length, 1);
	// Its original tuple, its number and its zone: without the first, everything would be forgotten.
	const length = tracked(PORT).readUInt16LE(4);
	t.deepEqual(forgotten[0]?.payload, Buffer.concat([tracked(PORT).subarray(0, 4 + length), ...identity]));
});

test('a connection that expires in the meantime is no error, one that may not be forgotten is', (t) => {
	const filter = { protocol: UDP, port: PORT };
	const expired = connect(fakeKernel(oldKernel((request) => [refusal(request, 'ENOENT')])));
	t.notThrows(() => forgetTracked(expired, [filter]));
	const forbidden = connect(fakeKernel(oldKernel((request) => [refusal(request, 'EPERM')])));
	t.throws(() => forgetTracked(forbidden, [filter]), { message: 'forgetting a tracked connection: EPERM' });
});

test('how many connections there are, also cut off or garbled', (t) => {
	t.is(decodeCount(counted(0x01020304)), 0x01020304);
	refusesCuts(t, decodeCount, counted(7), 4, { optional: false });
	survivesGarbage(t, decodeCount, counted(7));
});

const typesAsked = (count: number, filters: TrackedFilter[]): number[] => {
	const kernel = fakeKernel((request) => {
		if (request.type === COUNT) return [message(request, COUNT, counted(count))];
		return request.type === LIST ? dump(request, []) : [acknowledgement(request)];
	});
	forgetTracked(connect(kernel), filters);
	return kernel.requests.map(({ type }) => type);
};

test('the kernel picks when there is little to look at, lists when there is much, and is left alone when there is nothing', (t) => {
	const one = { protocol: UDP, port: PORT, address: '10.0.0.1' };
	t.deepEqual(typesAsked(100, []), []);
	t.deepEqual(typesAsked(0, [one]), [COUNT]);
	t.deepEqual(typesAsked(5000, [one, one, one]), [COUNT, FORGET, FORGET, FORGET]);
	t.deepEqual(typesAsked(5001, [one, one, one]), [COUNT, LIST]);
	t.deepEqual(typesAsked(1, [one, { ...one, address: 'fd00::1' }]), [COUNT, FORGET, LIST]);
	t.deepEqual(typesAsked(1, [{ ...one, protocol: 132 }]), [COUNT, LIST]);
});
