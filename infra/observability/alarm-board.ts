import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  type IAlarm,
  type IAlarmAction,
  type IMetric,
  TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import { type RunbookSection, runbookLink } from "./runbook.ts";

/** What is watched, and what whoever is told of it reads. */
export interface Watch {
  /** Unique; the end of the alarm's name. */
  readonly id: string;
  /** What has happened, in words. */
  readonly says: string;
  readonly section: RunbookSection;
  readonly metric: IMetric;
  /** The alarm goes off above this. */
  readonly above: number;
  /** Periods in a row; 1 by default. */
  readonly periods?: number;
}

/** Makes alarms that tell the topic, and end their description with the section of the runbook. */
export class AlarmBoard {
  readonly alarms: IAlarm[] = [];
  readonly #scope: Construct;
  readonly #name: string;
  readonly #action: IAlarmAction;

  constructor(scope: Construct, name: string, action: IAlarmAction) {
    this.#scope = scope;
    this.#name = name;
    this.#action = action;
  }

  /** Tells the topic. */
  watch(watch: Watch): void {
    const alarm = this.#alarm(watch);
    alarm.addAlarmAction(this.#action);
    alarm.addOkAction(this.#action);
    this.alarms.push(alarm);
  }

  /** Tells the topic when all of `watches` have gone off at once; none of them does by itself. */
  watchTogether(id: string, says: string, watches: readonly Watch[]): void {
    const parts = watches.map((watch) => this.#alarm(watch));
    const [section] = watches.map((watch) => watch.section);
    if (section === undefined) throw new TypeError(`${id} watches nothing`);
    const alarm = new CompositeAlarm(this.#scope, id, {
      compositeAlarmName: `${this.#name}-${id}`,
      alarmDescription: describe(says, section),
      alarmRule: AlarmRule.allOf(
        ...parts.map((part) => AlarmRule.fromAlarm(part, AlarmState.ALARM)),
      ),
    });
    alarm.addAlarmAction(this.#action);
    alarm.addOkAction(this.#action);
    this.alarms.push(alarm);
  }

  #alarm({ id, says, section, metric, above, periods = 1 }: Watch): Alarm {
    return new Alarm(this.#scope, id, {
      alarmName: `${this.#name}-${id}`,
      alarmDescription: describe(says, section),
      metric,
      threshold: above,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      // A registry that nobody uses at night is no registry that is down.
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}

const describe = (says: string, section: RunbookSection): string =>
  `${says} What to do: ${runbookLink(section)}`;
