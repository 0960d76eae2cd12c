using System.ComponentModel;
using System.Globalization;
using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>Runs a program for each change.</summary>
internal sealed class ExecProvider(DnsProviderSettings settings, TimeProvider time) : IDnsProvider
{
    /// <summary>The variable that holds the zone.</summary>
    private const string Zone = "ACME_ZONE";

    private readonly string _program = settings.Get(nameof(ExecOptions.Program));
    private readonly HookProcess _process = new(
        settings.Get(nameof(ExecOptions.Program)),
        HookEnvironment.Names(settings.Find(nameof(ExecOptions.EnvironmentVariables))),
        ExecOptions.ReadTimeout(settings.Find(nameof(ExecOptions.Timeout))) ?? ExecOptions.DefaultTimeout,
        time);

    public string Description => $"the program {_program}";

    public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => RunAsync("present", record, cancellationToken);

    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => RunAsync("cleanup", record, cancellationToken);

    private async Task RunAsync(string action, DnsTxtRecord record, CancellationToken cancellationToken)
    {
        CheckNames(action, record);
        try
        {
            var variables = new Dictionary<string, string> { [Zone] = record.Zone };
            var result = await _process.RunAsync([action, record.Name, record.Value], variables, cancellationToken);
            if (result.Failure is { } failure)
            {
                throw Failure(action, record, failure, result.MayNotHaveRun ? ProgramFile.FindProblem(_program) : null);
            }
        }
        catch (Win32Exception exception)
        {
            var why = ProgramFile.FindProblem(_program) is { } problem ? $"it {problem.Reason}. {problem.Fix}" : exception.Message;
            throw new DnsProviderException(
                DnsProviderFault.SetUpNeeded,
                $"The program {_program} could not be started for {QuotedText.Of(record.Name)} "
                + $"in zone {QuotedText.Of(record.Zone)}: {why}.",
                exception);
        }
    }

    // A DNS name may contain any byte, and the program may pass its arguments to a shell.
    private void CheckNames(string action, DnsTxtRecord record)
    {
        if (!RecordNamePolicy.IsPlain(record.Name) || record.Name.StartsWith('-')
            || !(record.Zone is "" or "." || RecordNamePolicy.IsPlain(record.Zone)))
        {
            throw Failure(action, record, "was not run, because the names contain more than letters, digits, hyphens and underscores");
        }
    }

    private DnsProviderException Failure(string action, DnsTxtRecord record, string what, (string Reason, string Fix)? cause = null)
        => new(
            cause is null ? DnsProviderFault.Refused : DnsProviderFault.SetUpNeeded,
            $"The program {_program} {action} {QuotedText.Of(record.Name)} (zone {QuotedText.Of(record.Zone)}) {what}."
            + (cause is { } found ? $" It {found.Reason}. {found.Fix}." : ""));
}

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
