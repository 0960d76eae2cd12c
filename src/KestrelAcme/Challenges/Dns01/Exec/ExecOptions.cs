using System.Globalization;
using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>
/// A program of your own: it is run with the arguments <c>present</c> or <c>cleanup</c>, the record's name and its value, and the zone in the environment variable <c>ACME_ZONE</c>.
/// Of the app's environment it sees only what a program needs to run, and <see cref="EnvironmentVariables"/>.
/// It must leave other values of the name as they are, and exit with 0 when the change is made, or was made before. Never run by a shell.
/// </summary>
public sealed class ExecOptions() : DnsProviderOptions(TypeName)
{
    internal const string TypeName = "Exec";
    internal static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromMinutes(10);

    internal static DnsProviderType ProviderType { get; } = new(
        TypeName,
        [
            new(nameof(Program), Required: true) { Example = ProgramFile.Example, CheckWithFix = ProgramFile.FindProblem },
            new(nameof(EnvironmentVariables)) { Example = "AWS_PROFILE, HTTPS_PROXY", Check = HookEnvironment.CheckNames },
            new(nameof(Timeout)) { Example = "00:02:00", Check = CheckTimeout },
        ]);

    /// <summary>The full path of the program.</summary>
    /// <value>None: required.</value>
    public string? Program { get => Get(nameof(Program)); set => Set(nameof(Program), value); }

    /// <summary>The names of further variables of the app's environment that the program gets, separated by commas or spaces.</summary>
    /// <value>None: only <c>PATH</c>, <c>HOME</c>, <c>USER</c>, <c>LOGNAME</c>, <c>LANG</c>, <c>LC_*</c>,
    /// <c>TMPDIR</c> and <c>TZ</c>, and on Windows those of the system.</value>
    public string? EnvironmentVariables { get => Get(nameof(EnvironmentVariables)); set => Set(nameof(EnvironmentVariables), value); }

    /// <summary>How long one run may take before it is killed.</summary>
    /// <value>2 minutes; from 1 second to 10 minutes.</value>
    public TimeSpan? Timeout
    {
        get => ReadTimeout(Get(nameof(Timeout)));
        set => Set(nameof(Timeout), value?.ToString("c", CultureInfo.InvariantCulture));
    }

    internal static TimeSpan? ReadTimeout(string? text)
        => text is not null && text.Contains(':') && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var timeout) ? timeout : null;

    private static string? CheckTimeout(string text)
        => ReadTimeout(text) is { } timeout && timeout >= TimeSpan.FromSeconds(1) && timeout <= LongestTimeout ? null : $"is not a duration between 00:00:01 and {LongestTimeout:c}";
}
