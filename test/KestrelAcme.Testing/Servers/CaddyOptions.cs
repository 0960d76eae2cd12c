namespace KestrelAcme.Testing.Servers;

/// <summary>Options of a <see cref="CaddyAcmeServer"/>.</summary>
public sealed record CaddyOptions
{
    /// <summary>
    /// Names to resolve to 127.0.0.1, in addition to localhost and the machine's own. They are put into a hosts file that only this process
    /// sees. That requires root and the right to create a mount namespace; otherwise the running test is skipped.
    /// <value>None</value>
    /// </summary>
    public IReadOnlyList<string> HostNames { get; init; } = [];
}
