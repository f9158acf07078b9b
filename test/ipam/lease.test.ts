import test from 'ava';
import fc from 'fast-check';
import { ADDRESS_REGION, decodeLease, encodeAddressRegion, encodeLease, LONGEST_LEASE } from '../../src/ipam/lease.ts';

const sample = {
	address: '9.0.1.5',
	containerId: 'c1',
	ifname: 'eth0',
	index: 0,
	network: 'dcos',
	netns: '/run/netns/c1',
	namespace: { device: 4, inode: 4026531833 },
	bootId: '11111111-1111-1111-1111-111111111111',
	time: 1795450776351,
};

test('a lease is one line of JSON that begins with the address region', (t) => {
	const text = encodeLease(sample);
	t.true(text.startsWith(`{"address":"9.0.1.5"${' '.repeat(43)},"containerId":"c1",`), text);
	t.true(text.endsWith('}\n'));
	t.deepEqual(JSON.parse(text), sample);
});

const name = fc.string({ minLength: 1 }).filter((text) => !text.includes('/'));
const leases = fc.record(
	{
		address: fc.oneof(fc.constant(''), fc.ipV4(), fc.ipV6()),
		containerId: name,
		ifname: name,
		index: fc.nat(),
		network: fc.string({ minLength: 1 }),
		netns: fc.string(),
		namespace: fc.record({ device: fc.nat(), inode: fc.maxSafeNat() }),
		bootId: fc.uuid(),
		time: fc.maxSafeNat(),
	},
	{ requiredKeys: ['address', 'containerId', 'ifname', 'index', 'network', 'netns', 'bootId', 'time'] },
);

test('what was encoded is decoded to the same', (t) => {
	fc.assert(fc.property(leases, (lease) => t.deepEqual(decodeLease(encodeLease(lease)), lease)));
});

test('an address region written over another gives the lease with that address', (t) => {
	fc.assert(
		fc.property(
			leases,
			fc.oneof(fc.ipV4(), fc.constant('ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255')),
			(lease, address) => {
				const region = encodeAddressRegion(address);
				t.is(Buffer.byteLength(region), ADDRESS_REGION);
				t.deepEqual(decodeLease(region + encodeLease(lease).slice(ADDRESS_REGION)), { ...lease, address });
			},
		),
	);
});

test('a lease that was cut anywhere is none', (t) => {
	const text = encodeLease(sample).trimEnd();
	for (let length = 0; length < text.length; length++) t.is(decodeLease(text.slice(0, length)), undefined);
});

test('the longest path fits', (t) => {
	t.true(Buffer.byteLength(encodeLease({ ...sample, netns: '\u0001'.repeat(4096) })) < LONGEST_LEASE);
});

for (const [title, change] of [
	['a container id that is a path', { containerId: '../c1' }],
	['an interface name that is a path', { ifname: 'a/b' }],
	['an address that is a path', { address: '../attachments/c1' }],
	['no container id', { containerId: undefined }],
	['an empty interface name', { ifname: '' }],
	['no boot id', { bootId: undefined }],
	['a time that is no number', { time: 'now' }],
	['an index below zero', { index: -1 }],
	['half a namespace', { namespace: { device: 4 } }],
] as const) {
	test(`${title} makes it no lease`, (t) => {
		t.is(decodeLease(JSON.stringify({ ...sample, ...change })), undefined);
	});
}

for (const text of ['null', '[]', '7', '"x"', '{}', 'c1\r\neth0', '\0'.repeat(300)]) {
	test(`${JSON.stringify(text.slice(0, 20))} is no lease`, (t) => {
		t.is(decodeLease(text), undefined);
	});
}
