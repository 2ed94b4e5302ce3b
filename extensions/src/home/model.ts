/** One thing of the home directory that this session does without; see `fabric_lab/launch/home.py`. */
export interface ILeftOut {
  readonly kind: 'everything' | 'rescue' | 'settings' | 'kernel' | 'server-extension' | 'lab-extension';
  readonly name: string;
  /** Its file or directory, with `~` for the home directory. */
  readonly place: string;
  /** What went wrong: a clause, or a program's own words. */
  readonly why: string;
}

/** The body of `GET fabric/home`; `log` is the session's, or ''. */
export interface IHome {
  readonly left_out: readonly ILeftOut[];
  readonly log: string;
}
