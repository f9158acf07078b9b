import test from 'ava';
import fc from 'fast-check';
import { type PortMapping, portsOf, PROTOCOLS } from '../../src/nat/port-mappings.ts';
import { findTakenPort } from '../../src/nat/taken-ports.ts';
import { attachment } from './records-of.ts';

const http = { protocol: 'tcp', hostPort: 8080, containerPort: 80, count: 1, families: [4, 6] } as const;
const there = { hostIp: '192.0.2.1', families: [4] } as const;
const addresses = ['9.0.1.2', 'fd00::2'];

for (const [title, held, wanted, port] of [
	['the same port', {}, {}, '8080/tcp'],
	['one port of a range', { hostPort: 8000, count: 200 }, {}, '8080/tcp'],
	['a range with one port', {}, { hostPort: 8000, count: 200 }, '8080/tcp'],
	['two ranges', { hostPort: 8080, count: 10 }, { hostPort: 8085, count: 10 }, '8085/tcp'],
	['every address, and one wants a single one', {}, there, '192.0.2.1:8080/tcp'],
	['a single address, and one wants every one', there, {}, '8080/tcp'],
	['another address', there, { ...there, hostIp: '192.0.2.2' }, undefined],
	['another protocol', {}, { protocol: 'udp' }, undefined],
	['the next port', { hostPort: 8000, count: 80 }, {}, undefined],
	['another family', { families: [4] }, { families: [6] }, undefined],
] as const) {
	test(`who holds a port is ${port === undefined ? 'nobody' : 'named'}: ${title}`, (t) => {
		const holder = attachment({ containerId: 'holder', addresses, portMappings: [{ ...http, ...held }] });
		const record = attachment({ addresses, portMappings: [{ ...http, ...wanted }] });
		const expected = port === undefined ? undefined : { port, holder };
		t.deepEqual(findTakenPort(record, [record, holder]), expected);
	});
}

test('who has no address of the family holds nothing in it', (t) => {
	const holder = attachment({ containerId: 'holder', portMappings: [http] });
	const record = attachment({ addresses: ['fd00::2'], portMappings: [http] });
	t.is(findTakenPort(record, [holder]), undefined);
});

test('an attachment does not stand in its own way, another interface of its container does', (t) => {
	const record = attachment({ portMappings: [http] });
	t.is(findTakenPort(record, [record]), undefined);
	t.is(findTakenPort(record, [attachment({ ifname: 'eth1', portMappings: [http] })])?.port, '8080/tcp');
});

const mapping: fc.Arbitrary<PortMapping> = fc.record({
	protocol: fc.constantFrom(...PROTOCOLS),
	hostPort: fc.integer({ min: 1, max: 20 }),
	containerPort: fc.constant(80),
	count: fc.integer({ min: 1, max: 5 }),
	families: fc.constant([4] as const),
});

test('a port is taken if, and only if, it is in both lists', (t) => {
	fc.assert(
		fc.property(fc.array(mapping, { maxLength: 4 }), fc.array(mapping, { maxLength: 4 }), (held, wanted) => {
			const all = (list: readonly PortMapping[]) =>
				list.flatMap((each) => portsOf(each).map(([port]) => `${port}/${each.protocol}`));
			const common = all(wanted).filter((port) => all(held).includes(port));
			const holder = attachment({ containerId: 'holder', portMappings: held });
			const taken = findTakenPort(attachment({ portMappings: wanted }), [holder]);
			if (taken === undefined) t.deepEqual(common, []);
			else t.true(common.includes(taken.port), `${taken.port} of ${common.join()}`);
		}),
	);
});
