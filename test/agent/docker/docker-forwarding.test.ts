// The rules by which Docker's containers are reached, as iptables has them and as it gets them.
import test, { type ExecutionContext } from 'ava';
import { forwardingInput } from '../../../src/agent/docker/docker-forwarding.ts';
import { parseSaved } from '../../../src/nat/iptables-text.ts';
import { createNamespace, type Namespace } from '../../helpers/namespace.ts';
import { variants } from '../../helpers/iptables.ts';
import { testOn } from '../../helpers/requirements.ts';

const networks = ['dcos', 'dcos-1'];
const entered = '-A DOCKER-USER -j DOCKER-MESOS-OVERLAY';
const ours = `-A DOCKER-MESOS-OVERLAY -o d-dcos -j DOCKER-MESOS-OVERLAY-FROM
-A DOCKER-MESOS-OVERLAY -o d-dcos-1 -j DOCKER-MESOS-OVERLAY-FROM
-A DOCKER-MESOS-OVERLAY-FROM -i vtep1024 -j ACCEPT
-A DOCKER-MESOS-OVERLAY-FROM -i m-dcos -j ACCEPT
-A DOCKER-MESOS-OVERLAY-FROM -i d-dcos -j ACCEPT
-A DOCKER-MESOS-OVERLAY-FROM -i m-dcos-1 -j ACCEPT
-A DOCKER-MESOS-OVERLAY-FROM -i d-dcos-1 -j ACCEPT`;

/** The table of a namespace of its own. */
interface Filter {
	/** Those of chains whose names begin like this. */
	readonly rules: (chain?: string) => string[];
	/** Has the rules be there for some networks; gives whether there was anything to do. */
	readonly keep: (names: readonly string[]) => boolean;
}

function filterOf(namespace: Namespace, variant: string, begin: string): Filter {
	const save = () => namespace.must([`iptables-${variant}-save`, '-t', 'filter']);
	const restore = (input: string) =>
		namespace.must(['sh', '-c', `iptables-${variant}-restore --noflush <<'END'\n${input}END`]);
	restore(`*filter\n${begin}\nCOMMIT\n`);
	return {
		rules: (chain = '') =>
			save()
				.split('\n')
				.filter((line) => line.startsWith(`-A ${chain}`)),
		keep: (names) => {
			const input = forwardingInput(parseSaved(save()), names);
			if (input !== undefined) restore(input);
			return input !== undefined;
		},
	};
}

const docker = `:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A DOCKER-USER -s 192.0.2.1/32 -j DROP
-A DOCKER-USER -j RETURN`;

for (const variant of variants) {
	testOn(`iptables-${variant}`, `they are made once, kept, and removed, by iptables-${variant}`, (t) => {
		const filter = filterOf(createNamespace(t, 'filter'), variant, docker);
		const before = filter.rules();
		t.true(filter.keep(networks));
		const [drop, end] = filter.rules('DOCKER-USER').filter((rule) => rule !== entered);
		t.deepEqual(filter.rules('DOCKER-USER'), [drop, entered, end]);
		t.deepEqual(filter.rules('DOCKER-MESOS'), ours.split('\n'));
		t.false(filter.keep(networks));
		t.true(filter.keep(['dcos']));
		t.is(filter.rules().length, 4 + 1 + 3);
		t.false(filter.keep(['dcos']));
		t.true(filter.keep([]));
		t.deepEqual(filter.rules(), before);
		t.false(filter.keep([]));
	});
}

const inputOf = (saved: string, names: readonly string[] = networks): string[] =>
	(forwardingInput(parseSaved(`*filter\n${saved}\nCOMMIT\n`), names) ?? '').split('\n');

const present = `:DOCKER-MESOS-OVERLAY - [0:0]\n:DOCKER-MESOS-OVERLAY-FROM - [0:0]\n${ours}`;
const cases: readonly (readonly [string, string, string[]])[] = [
	['where Docker has no rules, there are none of ours', ':OTHER - [0:0]', []],
	[
		'without a rule that ends the chain, ours is the last',
		`:DOCKER-USER - [0:0]\n-A DOCKER-USER -j LOG\n${present}`,
		['-I DOCKER-USER 2 -j DOCKER-MESOS-OVERLAY'],
	],
	[
		'one that is behind the end is moved',
		`:DOCKER-USER - [0:0]\n-A DOCKER-USER -j RETURN\n${entered}\n${present}`,
		['-D DOCKER-USER -j DOCKER-MESOS-OVERLAY', '-I DOCKER-USER 1 -j DOCKER-MESOS-OVERLAY'],
	],
	[
		'of two, one stays',
		`:DOCKER-USER - [0:0]\n${entered}\n${entered}\n${present}`,
		[
			'-D DOCKER-USER -j DOCKER-MESOS-OVERLAY',
			'-D DOCKER-USER -j DOCKER-MESOS-OVERLAY',
			'-I DOCKER-USER 1 -j DOCKER-MESOS-OVERLAY',
		],
	],
	['nothing is changed where all is there', `:DOCKER-USER - [0:0]\n${entered}\n${present}`, []],
	[
		"without the administrators' chain, ours come before Docker's isolation",
		`-A FORWARD -s 192.0.2.1/32 -j DROP\n-A FORWARD -j DOCKER-ISOLATION-STAGE-1\n${present}`,
		['-I FORWARD 2 -j DOCKER-MESOS-OVERLAY'],
	],
	[
		'and leave it when there is one',
		`:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-MESOS-OVERLAY\n-A FORWARD -j DOCKER-ISOLATION-STAGE-1\n${present}`,
		['-I DOCKER-USER 1 -j DOCKER-MESOS-OVERLAY', '-D FORWARD -j DOCKER-MESOS-OVERLAY'],
	],
];
for (const [title, saved, jumps] of cases) {
	test(title, (t: ExecutionContext) => {
		t.deepEqual(
			inputOf(saved).filter((line) => /^-[DI]/.test(line)),
			jumps,
		);
	});
}

test('what somebody added to our chains goes', (t) => {
	const input = inputOf(`:DOCKER-USER - [0:0]\n${entered}\n${present}\n-A DOCKER-MESOS-OVERLAY-FROM -j ACCEPT`);
	t.deepEqual(input, [
		'*filter',
		':DOCKER-MESOS-OVERLAY - [0:0]',
		':DOCKER-MESOS-OVERLAY-FROM - [0:0]',
		...ours.split('\n'),
		'COMMIT',
		'',
	]);
});
