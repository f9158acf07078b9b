import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { ExecutionContext } from 'ava';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import { type BridgedNetwork, hasLegacyFilter, missingInNft } from '../../src/nat/forward-policy.ts';
import { addMissingRules } from '../../src/nat/forward-policy-change.ts';
import { missingInLegacy } from '../../src/nat/legacy-filter.ts';
import { refuses } from '../cni/assertions.ts';
import { type Variant, variants } from '../helpers/iptables.ts';
import { createNamespace } from '../helpers/namespace.ts';
import { testOn } from '../helpers/requirements.ts';

const dual: BridgedNetwork = { bridge: 'm-dcos', subnets: ['9.0.1.0/27', 'fd00::/64'] };
const ipv4: BridgedNetwork = { ...dual, subnets: ['9.0.1.0/27'] };

const soon = () => performance.now() + 10_000;

/** A host on which iptables of a variant is used. */
function createHost(t: ExecutionContext, variant: Variant) {
	const host = createNamespace(t, 'forward');
	const opened = openNetworkNamespace(host.path);
	const directory = mkdtempSync(`${tmpdir()}/forward-`);
	t.teardown(() => {
		opened.close();
		rmSync(directory, { recursive: true });
	});
	return {
		directory,
		inside: <T>(work: () => T): T => opened.run(work),
		iptables: (words: string, family = 'iptables') =>
			host.must([`${family}-${variant}`, ...words.split(' ')]).split('\n'),
	};
}

/** The rules that are missing, in short. */
function missing(variant: Variant, network: BridgedNetwork): string[] {
	const rules = variant === 'nft' ? missingInNft(network, soon()) : missingInLegacy(network);
	return rules.map(({ family, direction }) => `${direction}${family}`);
}

for (const variant of variants) {
	const needs = `iptables-${variant}` as const;

	testOn(needs, `${variant}: a host that drops nothing needs no rules, and gets no tables by being asked`, (t) => {
		const { inside, iptables } = createHost(t, variant);
		t.deepEqual(
			inside(() => missing(variant, dual)),
			[],
		);
		t.false(inside(() => hasLegacyFilter(4)));
		iptables('-A FORWARD -i eth0 -j DROP');
		t.deepEqual(
			inside(() => missing(variant, dual)),
			[],
		);
		t.is(
			inside(() => hasLegacyFilter(4)),
			variant === 'legacy',
		);
	});

	testOn(needs, `${variant}: rules are missing in the families that drop and that the network has`, (t) => {
		const { inside, iptables } = createHost(t, variant);
		iptables('-P FORWARD DROP', 'ip6tables');
		t.deepEqual(
			inside(() => missing(variant, dual)),
			['in6', 'out6'],
		);
		t.deepEqual(
			inside(() => missing(variant, ipv4)),
			[],
		);
		iptables('-P FORWARD DROP');
		t.deepEqual(
			inside(() => missing(variant, dual)),
			['in4', 'out4', 'in6', 'out6'],
		);
	});

	testOn(needs, `${variant}: what others have in the chain is no rule of ours`, (t) => {
		const { inside, iptables } = createHost(t, variant);
		const others = [
			'-i m-dcos -j DROP',
			'-i m-dcos -p tcp -j ACCEPT',
			'! -o m-dcos -j ACCEPT',
			'-o m-dcos+ -j ACCEPT',
			'-o m-dcos -d 9.0.0.0/8 -j ACCEPT',
			'-o m-dcos -m conntrack --ctstate NEW -j ACCEPT',
			'-i m-dcos -o m-dcos -j ACCEPT',
			'-i m-dcos-1 -j ACCEPT',
			'-f -i m-dcos -j ACCEPT',
		];
		for (const words of others) iptables(`-A FORWARD ${words}`);
		iptables('-A INPUT -i m-dcos -j ACCEPT');
		iptables('-P FORWARD DROP');
		t.deepEqual(
			inside(() => missing(variant, ipv4)),
			['in4', 'out4'],
		);
	});

	testOn(needs, `${variant}: what is missing is added at the end of the chain, once`, (t) => {
		const { directory, inside, iptables } = createHost(t, variant);
		const present = ['-A FORWARD -i eth0 -j DROP', '-A FORWARD -o m-dcos -j ACCEPT', '-A FORWARD -i eth1 -j DROP'];
		iptables('-P FORWARD DROP');
		for (const rule of present) iptables(rule);
		for (const _ of [1, 2]) inside(() => addMissingRules(dual, directory, soon()));
		t.deepEqual(iptables('-S FORWARD'), ['-P FORWARD DROP', ...present, '-A FORWARD -i m-dcos -j ACCEPT', '']);
		t.deepEqual(
			inside(() => missing(variant, dual)),
			[],
		);
	});
}

testOn('iptables-legacy', 'where the older iptables goes by the plain name, that is taken', (t) => {
	const { directory, inside, iptables } = createHost(t, 'legacy');
	iptables('-P FORWARD DROP');
	symlinkSync('/usr/sbin/xtables-legacy-multi', `${directory}/iptables-restore`);
	inside(() => addMissingRules(ipv4, directory, soon(), directory));
	t.deepEqual(
		inside(() => missing('legacy', ipv4)),
		[],
	);
});

testOn(
	['iptables-legacy', 'iptables-nft'],
	'where there is no older iptables, it is said what to install or to add',
	(t) => {
		const { directory, inside, iptables } = createHost(t, 'legacy');
		iptables('-P FORWARD DROP');
		symlinkSync('/usr/sbin/xtables-nft-multi', `${directory}/iptables-restore`);
		refuses(
			t,
			() => inside(() => addMissingRules(ipv4, directory, soon(), directory)),
			100,
			`running iptables-legacy-restore: it is not in ${directory}`,
			'install iptables-legacy, or add there: -A FORWARD -i m-dcos -j ACCEPT; -A FORWARD -o m-dcos -j ACCEPT',
		);
	},
);
