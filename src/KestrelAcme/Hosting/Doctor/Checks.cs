using KestrelAcme.Certificates;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient.Errors;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>Runs a check within its time. What could not be found out is a finding, too.</summary>
internal static class Checks
{
    public static readonly TimeSpan LongestCheck = TimeSpan.FromSeconds(10);

    private const string Again = "Run the doctor again; if it repeats, look up in docs/doctor.md what this check depends on.";
    private const string CheckResolvers = "Check the DNS resolvers of this machine, or set AcmeHttps:DnsResolvers.";

    /// <summary>Runs a check.</summary>
    /// <param name="check">The check.</param>
    /// <param name="name">The name that is examined.</param>
    /// <param name="examine">Examines. It may ignore its token.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Cancels everything.</param>
    public static async Task<IReadOnlyList<DiagnosisFinding>> RunAsync(
        string check, string? name, Func<CancellationToken, Task<IReadOnlyList<DiagnosisFinding>>> examine, TimeProvider time,
        CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(LongestCheck, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await examine(both.Token).WaitOrAbandonAsync(both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return [DiagnosisFinding.Warning(check, name, $"No result within {LongestCheck.TotalSeconds:0} seconds.", Again)];
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            var fix = exception is DnsException ? CheckResolvers : Again;
            return [DiagnosisFinding.Warning(check, name, QuotedText.Words(exception.Message, QuotedText.MaxReplyLength), fix)];
        }
    }

    /// <summary>Whether a finding says what is wrong, not only that something could not be found out.</summary>
    public static bool IsProblem(DiagnosisFinding finding)
        => finding.Level != DiagnosisLevel.Ok && finding.Fix is not (null or Again or CheckResolvers);
}
