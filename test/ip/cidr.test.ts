import ipaddr from 'ipaddr.js';
import test from 'ava';
import fc from 'fast-check';
import { formatIp, parseIp } from '../../src/ip/address.ts';
import {
	type Cidr,
	contains,
	firstOf,
	networkOf,
	parseCidr,
	sameCidr,
	sameIp,
	sameNetwork,
} from '../../src/ip/cidr.ts';

/** ipaddr.js takes `::1.2.3.4` for an address that is mapped to IPv4; address.test.ts has it. */
const ipv6 = fc.ipV6().filter((ip) => !ip.includes('.'));
const anyCidr = fc.oneof(
	fc.tuple(fc.ipV4(), fc.nat(32)).map(([ip, prefix]) => `${ip}/${prefix}`),
	fc.tuple(ipv6, fc.nat(128)).map(([ip, prefix]) => `${ip}/${prefix}`),
);

function cidr(text: string): Cidr {
	const parsed = parseCidr(text);
	if (parsed === undefined) throw new Error(`no CIDR: ${text}`);
	return parsed;
}

test('an address with a length is read as ipaddr.js reads it', (t) => {
	const property = fc.property(anyCidr, (text) => {
		const [address, prefix] = ipaddr.parseCIDR(text);
		t.deepEqual(cidr(text), { ip: Uint8Array.from(address.toByteArray()), prefix });
	});
	fc.assert(property);
});

test('the network of an address is that of ipaddr.js', (t) => {
	const property = fc.property(anyCidr, (text) => {
		const family = text.includes(':') ? ipaddr.IPv6 : ipaddr.IPv4;
		t.is(formatIp(networkOf(cidr(text))), family.networkAddressFromCIDR(text).toString());
	});
	fc.assert(property);
});

test('the first address behind that of a network, where there is room for two', (t) => {
	const property = fc.property(anyCidr, (text) => {
		const { ip, prefix } = cidr(text);
		const first = firstOf({ ip, prefix });
		if (first === undefined) return void t.true(prefix > ip.length * 8 - 2);
		const valueOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
		t.is(valueOf(first), valueOf(networkOf({ ip, prefix })) + 1n);
		t.true(contains({ ip, prefix }, first));
	});
	fc.assert(property);
});

test('a network holds what ipaddr.js says that it holds', (t) => {
	const near = anyCidr.chain((text) => {
		const { ip, prefix } = cidr(text);
		// An address that differs in one bit, so that about half of them lie outside.
		return fc.nat(ip.length * 8 - 1).map((bit) => {
			const other = Uint8Array.from(ip);
			other[bit >> 3]! ^= 0x80 >> (bit & 7);
			return { text, prefix, bit, other };
		});
	});
	const property = fc.property(near, ({ text, prefix, bit, other }) => {
		const [network] = ipaddr.parseCIDR(text);
		t.is(contains(cidr(text), other), ipaddr.fromByteArray([...other]).match(network, prefix));
		t.is(contains(cidr(text), other), bit >= prefix);
	});
	fc.assert(property);
});

test('a network of one family holds no address of the other', (t) => {
	t.false(contains(cidr('0.0.0.0/0'), parseIp('::')!));
	t.false(contains(cidr('::/0'), parseIp('0.0.0.0')!));
});

for (const text of [
	'9.0.1.2',
	'9.0.1.2/',
	'9.0.1.2/33',
	'9.0.1.2/-1',
	'9.0.1.2/1.5',
	'9.0.1.2/08',
	'9.0.1.2/8 ',
	'9.0.1.2/1e1',
	'9.0.1.2/+8',
	'9.0.1.2/8/8',
	'9.0.1/8',
	'/8',
	'fd00::/129',
	'fd00::/0x10',
	'9.0.1.2/NaN',
	'9.0.1.2/Infinity',
]) {
	test(`"${text}" is no address with a length`, (t) => t.is(parseCidr(text), undefined));
}

for (const text of ['0.0.0.0/0', '9.0.1.2/32', '::/0', 'fd00::1/128']) {
	test(`${text} is one`, (t) => t.is(cidr(text).prefix, Number(text.split('/')[1])));
}

const sameIps: readonly [string | undefined, string | undefined, boolean][] = [
	['9.0.1.1', '9.0.1.1', true],
	['9.0.1.1', '9.0.1.2', false],
	['FD00:0::1', 'fd00::1', true],
	['fd00::1', 'fd00::2', false],
	['::9.0.1.1', '9.0.1.1', false],
	[undefined, undefined, true],
	[undefined, '9.0.1.1', false],
	['9.0.1.1', undefined, false],
	['nonsense', 'nonsense too', false],
];
for (const [left, right, same] of sameIps) {
	test(`${left} and ${right} are ${same ? 'the same address' : 'different'}`, (t) => t.is(sameIp(left, right), same));
}

const sameTexts: readonly [string, string, { cidr: boolean; network: boolean }][] = [
	['9.0.1.2/27', '9.0.1.2/27', { cidr: true, network: true }],
	['9.0.1.2/27', '9.0.1.3/27', { cidr: false, network: true }],
	['9.0.1.2/27', '9.0.1.34/27', { cidr: false, network: false }],
	['9.0.1.2/27', '9.0.1.2/26', { cidr: false, network: false }],
	['FD00::2/64', 'fd00:0:0::2/64', { cidr: true, network: true }],
	['fd00::2/64', 'fd00::3/64', { cidr: false, network: true }],
	['0.0.0.0/0', '::/0', { cidr: false, network: false }],
	['0.0.0.0/0', '9.0.1.2/0', { cidr: false, network: true }],
	['nonsense', 'more nonsense', { cidr: false, network: false }],
	['9.0.1.2/27', 'nonsense', { cidr: false, network: false }],
];
for (const [left, right, { cidr, network }] of sameTexts) {
	test(`${left} and ${right}: ${cidr ? 'the same address' : network ? 'the same network' : 'different networks'}`, (t) => {
		t.is(sameCidr(left, right), cidr);
		t.is(sameCidr(right, left), cidr);
		t.is(sameNetwork(left, right), network);
		t.is(sameNetwork(right, left), network);
	});
}
