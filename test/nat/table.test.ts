import test from 'ava';
import { readFileSync } from 'node:fs';
import { layPortTable } from '../../src/nat/port-table.ts';
import { LAYOUT } from '../../src/nat/records.ts';
import { layTable } from '../../src/nat/table.ts';
import { commit } from '../../src/netlink/nf-batch.ts';
import { testOn } from '../helpers/requirements.ts';
import { hostTables } from './host-tables.ts';

const textOf = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const skeleton = textOf('skeleton.nft');
const portSkeleton = textOf('port-skeleton.nft');

test('the nft tool shows the table as the text has it', (t) => {
	const { connection, ruleset } = hostTables(t);
	commit(connection, layTable());
	t.is(ruleset(), skeleton);
});

test('the text says which layout it is', (t) => {
	for (const text of [skeleton, portSkeleton]) t.true(text.includes(`comment "mesos-overlay ${LAYOUT}"`));
});

test('what was in the table is replaced, and nothing else is touched', (t) => {
	const { connection, nft, ruleset } = hostTables(t);
	nft('table inet mesos_overlay { chain forward { drop; }; set strange { type mark; }; }');
	nft('table inet other { chain c { drop; }; }');
	commit(connection, layTable());
	t.is(ruleset(), `table inet other {\n\tchain c {\n\t\tdrop\n\t}\n}\n${skeleton}`);
});

testOn('nftables-bridge', 'the nft tool shows the table of the ports as the text has it', (t) => {
	const { connection, nft, ruleset } = hostTables(t);
	nft('table bridge mesos_overlay { set strange { type mark; }; }');
	commit(connection, layPortTable());
	t.is(ruleset(), portSkeleton);
});
