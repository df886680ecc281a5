/// What the user can ask for: the verbs of the interface. The table of bindings says which key asks for
/// which, and `update` alone says what each does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Move the selection or the text one line up.
    Up,
    /// One line down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the first line.
    First,
    /// To the last line.
    Last,
    /// Open the selected client's settings, or choose the selected line.
    Open,
    /// Go back: close what is open, clear the filter.
    Back,
    /// Start typing a filter.
    Filter,
    /// Stop typing and go to the list, keeping the filter.
    KeepFilter,
    /// Next way of sorting.
    Sort,
    /// Load the clients again.
    Reload,
    /// Move between table and settings.
    SwitchFocus,
    /// Settings of the next client in the list.
    NextClient,
    /// Settings of the previous client in the list.
    PreviousClient,
    /// Show the client secret, or hide it.
    Reveal,
    /// Copy the client secret without showing it.
    CopySecret,
    /// Copy the client id.
    CopyId,
    /// Copy the settings an app needs as lines of an `.env` file.
    CopyEnv,
    /// Copy the `curl` command that does the same as rotating here.
    CopyCurl,
    /// Change the client secret; asks which way.
    Rotate,
    /// Stage a new secret, and deliver it to the targets as the fallback.
    NewSecret,
    /// Make the pending secret live; asks first.
    SaveChanges,
    /// Make the old secret live again, or give up what is pending; asks first.
    TakeBack,
    /// Drop the old secret; asks first.
    Retire,
    /// Go on with a rollover that was left, and settle what is in doubt.
    Resume,
    /// In a conflict: go on with the secret that somebody else made live; asks first.
    KeepTheirs,
    /// In a conflict: make ours live; asks first.
    SetOurs,
    /// Give a rollover up, and leave everything as it is; asks first.
    Abandon,
    /// Show the pending secret, or hide it.
    RevealPending,
    /// Copy the pending secret without showing it.
    CopyPending,
    /// Look what the targets hold.
    CheckTargets,
    /// The client's targets: add one, change one.
    Targets,
    /// Take the target that is on screen out of the configuration.
    RemoveTarget,
    /// The secret that could be stored nowhere was taken care of.
    KeptByHand,
    /// How an app is taught to try a fallback.
    Guide,
    /// Yes to the question that is asked.
    Yes,
    /// No to the question that is asked.
    No,
    /// Show all rollovers.
    Rollovers,
    /// Show the keys.
    Help,
    /// Open the command palette.
    Palette,
    /// Turn the mouse on or off.
    ToggleMouse,
    /// Start the demo.
    StartDemo,
    /// See what works here and what does not.
    Doctor,
    /// Go to another tenant.
    Tenants,
    /// Connect a tenant that is not configured yet.
    ConnectTenant,
    /// Open the selected tenant by default from now on.
    UseByDefault,
    /// Next field of a form.
    NextField,
    /// Previous field of a form.
    PreviousField,
    /// Next word of a choice.
    NextValue,
    /// Previous word of a choice.
    PreviousValue,
    /// Go on with what was filled in.
    Submit,
    /// Suspend to the shell.
    Suspend,
    /// Quit; asks while something is under way.
    Quit,
    /// Quit, or, while something is under way, ask once and then quit.
    Interrupt,
}

impl Action {
    /// Whether it only moves around: nobody looks for that by name.
    #[must_use]
    pub fn moves(self) -> bool {
        matches!(self, Self::Up | Self::Down | Self::PageUp | Self::PageDown | Self::First | Self::Last | Self::Back)
    }
}
