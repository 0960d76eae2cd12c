using System.Globalization;
using KestrelAcme.Configuration;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>
/// Options for a program of your own. It is run with the arguments <c>present</c> or <c>cleanup</c>, the record's name and its value, and
/// with the zone in the environment variable <c>ACME_ZONE</c>. It gets only the environment variables that any program needs, and
/// <see cref="EnvironmentVariables"/>. It must not change other values of the name, and must exit with 0 if the change is made or was
/// already made. No shell is used.
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

    /// <summary>The names of further environment variables of the app to pass to the program, separated by commas or spaces.</summary>
    /// <value>
    /// None. Always passed are <c>PATH</c>, <c>HOME</c>, <c>USER</c>, <c>LOGNAME</c>, <c>LANG</c>, <c>LC_*</c>, <c>TMPDIR</c> and
    /// <c>TZ</c>, and on Windows those of the system.
    /// </value>
    public string? EnvironmentVariables { get => Get(nameof(EnvironmentVariables)); set => Set(nameof(EnvironmentVariables), value); }

    /// <summary>How long one run may take before the program is killed.</summary>
    /// <value>2 minutes. Allowed: 1 second to 10 minutes.</value>
    public TimeSpan? Timeout
    {
        get => ReadTimeout(Get(nameof(Timeout)));
        set => Set(nameof(Timeout), value?.ToString("c", CultureInfo.InvariantCulture));
    }

    internal static TimeSpan? ReadTimeout(string? text)
        => text is not null && text.Contains(':') && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var timeout)
            ? timeout
            : null;

    private static string? CheckTimeout(string text)
        => ReadTimeout(text) is { } timeout && timeout >= TimeSpan.FromSeconds(1) && timeout <= LongestTimeout
            ? null
            : $"is not a duration between 00:00:01 and {LongestTimeout:c}";
}
