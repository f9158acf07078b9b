import type { ExecutionContext } from 'ava';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import { ipTables } from '../../src/nat/iptables.ts';
import type { Backend } from '../../src/nat/backend.ts';
import type { AttachmentRecord, NetworkRecord, Records } from '../../src/nat/records.ts';
import { linkVariant, type Variant, variants } from '../helpers/iptables.ts';
import { refuses } from '../cni/assertions.ts';
import { createNamespace } from '../helpers/namespace.ts';
import { testOn } from '../helpers/requirements.ts';
import { attachment, dcos } from './records-of.ts';

const http = { protocol: 'tcp', hostPort: 8080, containerPort: 80, count: 1, families: [4, 6] } as const;
const closed = { ...dcos, network: 'dcos-1', bridge: 'm-dcos-1', isolation: 'network', masquerade: false } as const;
const networks = [dcos, { ...closed, subnets: ['10.1.0.0/25', 'fd01::/65'], overlays: ['10.1.0.0/16'] }];
const dual: NetworkRecord = { ...dcos, overlays: ['9.0.0.0/8', 'fd00::/16'] };

/** A host whose iptables is of a variant, with the rules that the records say. */
function laidOut(t: ExecutionContext, variant: Variant, attachments: readonly AttachmentRecord[] = []) {
	const host = createNamespace(t, 'iptables');
	const namespace = openNetworkNamespace(host.path);
	t.teardown(() => namespace.close());
	const path = linkVariant(t, variant);
	const inside = <T>(work: (backend: Backend) => T): T =>
		namespace.run(() => work(ipTables(performance.now() + 60_000, path)));
	const records: Records = { networks, attachments };
	inside((backend) => backend.restore(records));
	/** Has one of the programs of the variant carry out some words. */
	const iptables = (words: string, program = 'iptables'): string =>
		host.must([`${path}/${program}`, ...words.split(' ').filter((word) => word !== '')]);
	return {
		inside,
		iptables,
		records: () => records,
		/** All rules of both families. */
		rules: () =>
			['iptables', 'ip6tables']
				.map((family) => iptables('', `${family}-save`))
				.join('')
				.replaceAll(/^#.*\n/gm, '')
				.replaceAll(/\[\d+:\d+\]/g, ''),
	};
}

const policy = [{ from: 'app=web', to: 'app=db', ports: [{ protocol: 'tcp', first: 5432, last: 5432 }] }] as const;
const web = attachment({ containerId: 'web', addresses: ['9.0.1.4', 'fd00::4'], policy, labels: ['app=web'] });

/** Attachments with something in each of the chains. */
const various: readonly AttachmentRecord[] = [
	attachment({ portMappings: [http], addresses: ['9.0.1.2', 'fd00::2'], excludeDevices: ['m-dcos'] }),
	attachment({ portMappings: [{ ...http, hostIp: '192.0.2.1', families: [4] }] }),
	attachment({ portMappings: [{ ...http, hostIp: '2001:db8::1', families: [6] }], addresses: ['fd00::2'] }),
	attachment({ portMappings: [{ ...http, protocol: 'sctp', count: 100 }] }),
	attachment({ portMappings: [{ ...http, protocol: 'udp', hostPort: 80, count: 100 }] }),
	attachment({ addresses: ['10.2.0.2', 'fd02::2'], masquerade: true, isolation: 'container' }),
	attachment({ addresses: ['9.0.1.3', 'fd00::3'], policy, labels: ['app=db'] }),
];

for (const variant of variants) {
	const needs = `iptables-${variant}` as const;
	for (const [index, record] of various.entries()) {
		testOn(needs, `${variant}: what an attachment adds, DEL takes away, and nothing else: ${index}`, (t) => {
			const other = attachment({ containerId: 'other', portMappings: [{ ...http, hostPort: 9090 }] });
			const { inside, rules, records } = laidOut(t, variant, [other, web]);
			const before = rules();
			inside((backend) => backend.attach(record, records));
			const attached = rules();
			t.not(attached, before);
			t.deepEqual(
				inside((backend) => backend.differences(dcos, record, records)),
				[],
			);
			inside((backend) => backend.attach(record, records));
			t.is(rules(), attached, 'a second time');
			for (const _ of [1, 2]) {
				inside((backend) => backend.detach(record, records));
				t.is(rules(), before);
			}
		});
	}

	testOn(needs, `${variant}: what was flushed is restored as it was`, (t) => {
		const { inside, iptables, rules } = laidOut(t, variant, various);
		const before = rules();
		for (const table of ['nat', 'mangle']) iptables(`-t ${table} -F`);
		t.not(rules(), before);
		t.false(inside((backend) => backend.hasNetwork(dual)));
		inside((backend) => backend.restore({ networks, attachments: various }));
		t.is(rules(), before);
		t.true(inside((backend) => backend.hasNetwork(dual)));
		t.is(rules(), before, 'asking changes nothing');
	});

	testOn(needs, `${variant}: who attaches after a flush puts everything back`, (t) => {
		const { inside, iptables, rules, records } = laidOut(t, variant, [web]);
		const record = attachment({ portMappings: [http] });
		inside((backend) => backend.attach(record, records));
		const before = rules();
		inside((backend) => backend.detach(record, records));
		iptables('-t nat -F');
		iptables('-t nat -X');
		inside((backend) => backend.attach(record, records));
		t.is(rules(), before);
	});

	testOn(needs, `${variant}: what cannot be attached leaves nothing`, (t) => {
		const { inside, rules, records } = laidOut(t, variant, [web]);
		const before = rules();
		const wrong = attachment({ portMappings: [http], excludeDevices: ['a"b'], masquerade: true });
		refuses(
			t,
			() => inside((backend) => backend.attach(wrong, records)),
			100,
			'running iptables-restore: exit status',
		);
		t.is(rules(), before);
	});

	testOn(needs, `${variant}: chains of an older version go when the rules are laid out anew`, (t) => {
		const { inside, iptables, rules, records } = laidOut(t, variant, [web]);
		const before = rules();
		for (const words of [
			'-N MESOS-OVERLAY-OLD',
			'-N MESOS-OVERLAY-OLDER',
			'-A PREROUTING -p tcp -j MESOS-OVERLAY-OLD',
			'-A MESOS-OVERLAY-OLD -j MESOS-OVERLAY-OLDER',
			'-A OUTPUT -j MESOS-OVERLAY-PORTS',
		]) {
			iptables(`-t nat ${words}`);
		}
		inside((backend) => backend.restore(records()));
		t.is(rules(), before);
	});

	testOn(needs, `${variant}: a family that nobody uses any more loses all chains, rules of others stay`, (t) => {
		const { inside, iptables, rules } = laidOut(t, variant, various);
		iptables('-t nat -A PREROUTING -p tcp --dport 9 -j REDIRECT');
		const only4: NetworkRecord = { ...dcos, subnets: ['9.0.1.0/27'], overlays: ['9.0.0.0/8'] };
		inside((backend) => backend.restore({ networks: [only4], attachments: [] }));
		t.notRegex(iptables('', 'ip6tables-save'), /MESOS-OVERLAY/);
		t.regex(iptables('', 'iptables-save'), /MESOS-OVERLAY/);
		inside((backend) => backend.restore({ networks: [], attachments: [] }));
		t.notRegex(rules(), /MESOS-OVERLAY/);
		t.regex(rules(), /--dport 9 -j REDIRECT/);
	});

	testOn(needs, `${variant}: what differs is said`, (t) => {
		const record = attachment({ portMappings: [http], masquerade: true });
		const { inside, iptables, records } = laidOut(t, variant, [record, web]);
		iptables('-t nat -D MESOS-OVERLAY-MASQ-SINGLE -s 9.0.1.2 -j MASQUERADE');
		iptables('-t mangle -D MESOS-OVERLAY-PREROUTING -d 127.0.0.0/8 -i m-dcos -j DROP');
		iptables('-t mangle -F MESOS-OVERLAY-FORWARD');
		iptables('-t nat -A OUTPUT -p tcp -j MESOS-OVERLAY-PORTS');
		const differences = inside((backend) => backend.differences(dcos, record, records));
		t.deepEqual(
			differences.toSorted(),
			[
				'rule "-A MESOS-OVERLAY-FORWARD -m conntrack --ctstate DNAT -j RETURN" in table mangle of iptables is missing',
				'rule "-A MESOS-OVERLAY-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN" in table mangle of iptables is missing',
				'rule "-A MESOS-OVERLAY-FORWARD ! -s 10.1.0.0/16 -d 10.1.0.0/16 -j DROP" in table mangle of iptables is missing',
				'rule "-A MESOS-OVERLAY-FORWARD -s 10.1.0.0/16 ! -d 10.1.0.0/16 -j MESOS-OVERLAY-INSIDE" in table mangle of iptables is missing',
				'rule "-A MESOS-OVERLAY-MASQ-SINGLE -s 9.0.1.2/32 -j MASQUERADE" in table nat of iptables is missing',
				'rule "-A MESOS-OVERLAY-PREROUTING -d 127.0.0.0/8 -i m-dcos -j DROP" in table mangle of iptables is missing',
				'rule "-A OUTPUT -p tcp -j MESOS-OVERLAY-PORTS" in table nat of iptables is not of the records',
			].toSorted(),
		);
	});

	testOn(needs, `${variant}: thousands of ports come and go`, (t) => {
		const { inside, rules, records } = laidOut(t, variant);
		const before = rules();
		const record = attachment({ addresses: ['9.0.1.2', 'fd00::2'], portMappings: [{ ...http, count: 4096 }] });
		inside((backend) => backend.attach(record, records));
		t.is(rules().match(/DNAT --to/gu)?.length, 8192);
		t.deepEqual(
			inside((backend) => backend.differences(dcos, record, records)),
			[],
		);
		inside((backend) => backend.detach(record, records));
		t.is(rules(), before);
	});
}
