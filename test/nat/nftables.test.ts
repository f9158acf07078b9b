import test, { type ExecutionContext } from 'ava';
import { elementsOfAttachment } from '../../src/nat/elements.ts';
import { nfTables } from '../../src/nat/nftables.ts';
import type { AttachmentRecord, Records } from '../../src/nat/records.ts';
import { attachment, dcos } from './records-of.ts';
import { hostTables } from './host-tables.ts';

const http = { protocol: 'tcp', hostPort: 8080, containerPort: 80, count: 1, families: [4, 6] } as const;
const closed = { ...dcos, network: 'dcos-1', bridge: 'm-dcos-1', isolation: 'network', masquerade: false } as const;
const networks = [dcos, { ...closed, subnets: ['10.1.0.0/25', 'fd01::/65'], overlays: ['10.1.0.0/16'] }];

/** Tables as the records say, and what changes them. */
function laidOut(t: ExecutionContext, attachments: readonly AttachmentRecord[] = []) {
	const host = hostTables(t);
	const backend = nfTables(host.connection);
	const records: Records = { networks, attachments };
	backend.restore(records);
	return { ...host, backend, records: () => records };
}

const policy = [{ from: 'app=web', to: 'app=db', ports: [{ protocol: 'tcp', first: 5432, last: 5432 }] }] as const;
const web = attachment({ containerId: 'web', addresses: ['9.0.1.4', 'fd00::4'], policy, labels: ['app=web'] });

/** Attachments with something in each of the sets. */
const various: readonly AttachmentRecord[] = [
	attachment({ portMappings: [http], addresses: ['9.0.1.2', 'fd00::2'], excludeDevices: ['m-dcos'] }),
	attachment({ portMappings: [{ ...http, hostIp: '192.0.2.1', families: [4] }] }),
	attachment({ portMappings: [{ ...http, protocol: 'sctp', count: 100 }] }),
	attachment({ addresses: ['10.2.0.2', 'fd02::2'], masquerade: true, isolation: 'container' }),
	attachment({ addresses: ['9.0.1.3', 'fd00::3'], policy, labels: ['app=db'] }),
	attachment({ containerId: 'x'.repeat(500), portMappings: [http] }),
];

for (const [index, record] of various.entries()) {
	test(`what an attachment adds, DEL takes away, and nothing else: ${index}`, (t) => {
		const others = attachment({ containerId: 'other', portMappings: [{ ...http, hostPort: 9090 }] });
		const { backend, ruleset, records } = laidOut(t, [others, web]);
		const before = ruleset();
		backend.attach(record, records);
		t.not(ruleset(), before);
		t.deepEqual(backend.differences(dcos, record, records), []);
		backend.detach(record, records);
		t.is(ruleset(), before);
		t.notThrows(() => backend.detach(record, records));
		t.is(ruleset(), before);
	});

	test(`what was flushed is restored as it was: ${index}`, (t) => {
		const { backend, nft, ruleset, records } = laidOut(t, [web]);
		backend.attach(record, records);
		const before = ruleset();
		nft('flush ruleset');
		t.false(backend.hasNetwork(dcos));
		backend.restore({ networks, attachments: [record, web] });
		t.is(ruleset(), before);
		t.true(backend.hasNetwork(dcos));
	});
}

test('an empty host has no network, and nothing to detach', (t) => {
	const { connection, ruleset } = hostTables(t);
	const backend = nfTables(connection);
	t.false(backend.hasNetwork(dcos));
	t.is(
		backend.findTaken(attachment({ portMappings: [http] }), () => ({ networks: [], attachments: [] })),
		undefined,
	);
	backend.detach(attachment({ portMappings: [http], masquerade: true }), () => ({ networks: [], attachments: [] }));
	t.is(ruleset(), '');
});

const there = { hostIp: '192.0.2.1', families: [4] } as const;
for (const [title, held, wanted, isTaken] of [
	['the same port', {}, {}, true],
	['one port of a range', { hostPort: 8000, count: 200 }, {}, true],
	['a range with one port', {}, { hostPort: 8000, count: 200 }, true],
	['every address, and one wants a single one', {}, there, true],
	['a single address, and one wants every one', there, {}, true],
	['the same address', there, there, true],
	['another address', there, { ...there, hostIp: '192.0.2.2' }, false],
	['another protocol', {}, { protocol: 'udp' }, false],
	['another port', {}, { hostPort: 8081 }, false],
	['another family', { families: [4] }, { families: [6] }, false],
] as const) {
	test(`who holds a port is ${isTaken ? 'named' : 'nobody'}: ${title}`, (t) => {
		const { backend, records } = laidOut(t);
		const addresses = ['9.0.1.2', 'fd00::2'];
		const holder = attachment({ addresses, portMappings: [{ ...http, ...held }] });
		backend.attach(holder, records);
		const other = attachment({ containerId: 'c2', addresses, portMappings: [{ ...http, ...wanted }] });
		const port = wanted === there ? '192.0.2.1:8080/tcp' : '8080/tcp';
		const taken = backend.findTaken(other, () => ({ networks, attachments: [other, holder] }));
		t.deepEqual(taken, isTaken ? { port, holder } : undefined);
		t.deepEqual(backend.findTaken(other, records), isTaken ? { port, holder: undefined } : undefined);
		t.is(backend.findTaken({ ...other, containerId: 'c1' }, records), undefined);
	});
}

test('of two that want the same port, the second changes nothing', (t) => {
	const { backend, ruleset, records } = laidOut(t);
	backend.attach(attachment({ portMappings: [http] }), records);
	const before = ruleset();
	const second = attachment({ containerId: 'c2', addresses: ['9.0.1.3'], portMappings: [http], masquerade: true });
	t.throws(() => backend.attach(second, records), { message: /EEXIST/ });
	t.is(ruleset(), before);
	backend.detach(second, records);
	t.is(ruleset(), before);
});

test('what differs is said', (t) => {
	const { backend, nft, records } = laidOut(t);
	const record = attachment({ portMappings: [http], addresses: ['9.0.1.2', 'fd00::2'], masquerade: true });
	backend.attach(record, records);
	nft('delete element inet mesos_overlay masqueraded4 { 9.0.1.2 }');
	nft('delete element inet mesos_overlay host_ports4 { tcp . 8080 }');
	nft('add element inet mesos_overlay host_ports4 { tcp . 8080 comment "c2 eth0" : 9.0.1.3 . 80 }');
	nft('delete element inet mesos_overlay host_ports6 { tcp . 8080 }');
	nft('add element inet mesos_overlay host_ports6 { tcp . 8080 comment "c1 eth0" : fd00::3 . 80 }');
	nft('delete element inet mesos_overlay bridges { "m-dcos" }');
	t.deepEqual(backend.differences(dcos, record, records), [
		'm-dcos in set "bridges" is missing',
		'tcp . 8080 in set "host_ports4" belongs to "c2 eth0"',
		'tcp . 8080 in set "host_ports6" leads elsewhere than to fd00::2 . 80',
		'9.0.1.2 in set "masqueraded4" is missing',
	]);
});

test('thousands of ports come and go', (t) => {
	const { backend, ruleset, records } = laidOut(t);
	const before = ruleset();
	const record = attachment({ addresses: ['9.0.1.2', 'fd00::2'], portMappings: [{ ...http, count: 4096 }] });
	backend.attach(record, records);
	t.is(elementsOfAttachment(record).length, 8192);
	t.deepEqual(backend.differences(dcos, record, records), []);
	backend.detach(record, records);
	t.is(ruleset(), before);
});
