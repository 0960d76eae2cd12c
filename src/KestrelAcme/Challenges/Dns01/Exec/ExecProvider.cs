using System.ComponentModel;
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
