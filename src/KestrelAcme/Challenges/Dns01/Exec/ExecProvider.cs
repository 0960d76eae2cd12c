using System.ComponentModel;
using System.Diagnostics;
using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>Runs a program for each change.</summary>
internal sealed class ExecProvider(DnsProviderSettings settings, TimeProvider time) : IDnsProvider
{
    private readonly string _program = settings.Get(nameof(ExecOptions.Program));
    private readonly TimeSpan _timeout = ExecOptions.ReadTimeout(settings.Find(nameof(ExecOptions.Timeout))) ?? ExecOptions.DefaultTimeout;

    public string Description => $"the program {_program}";

    public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => RunAsync("present", record, cancellationToken);

    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => RunAsync("cleanup", record, cancellationToken);

    private async Task RunAsync(string action, DnsTxtRecord record, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(_timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using var process = Start(action, record);
        var output = OutputTail.ReadAsync(process.StandardOutput, both.Token);
        var errors = OutputTail.ReadAsync(process.StandardError, both.Token);
        try
        {
            await process.WaitForExitAsync(both.Token);
            var said = QuotedText.Words($"{await errors} {await output}", QuotedText.MaxReplyLength);
            if (process.ExitCode != 0)
            {
                throw Failure(action, record, $"ended with exit code {process.ExitCode}: {(said.Length == 0 ? "it wrote nothing" : said)}");
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failure(action, record, $"did not end within {_timeout.TotalSeconds:0.#} s and was killed");
        }
        finally
        {
            Kill(process);
            await ((Task)Task.WhenAll(output, errors)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Process Start(string action, DnsTxtRecord record)
    {
        var start = new ProcessStartInfo(_program, [action, record.Name, record.Value])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ACME_ZONE"] = record.Zone;
        try
        {
            var process = Process.Start(start) ?? throw Failure(action, record, "could not be started");
            process.StandardInput.Close();
            return process;
        }
        catch (Win32Exception exception)
        {
            throw new DnsProviderException(DnsProviderFault.SetUpNeeded, $"The program {_program} could not be started for {record.Name} in zone {record.Zone}: {exception.Message}.", exception);
        }
    }

    // With its children: a script that waits for a hanging one would leave it behind.
    private static void Kill(Process process)
    {
        try
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
        {
            // It ended meanwhile.
        }
    }

    private DnsProviderException Failure(string action, DnsTxtRecord record, string what)
        => new(DnsProviderFault.Refused, $"The program {_program} {action} {record.Name} (zone {record.Zone}) {what}.");
}
