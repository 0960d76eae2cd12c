using System.Net;
using System.Net.Sockets;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Transport;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Http01;

/// <summary>
/// Requests the token before the challenge is submitted to the CA: from the app's own listener, then from each address of the public name.
/// A wrong response is logged and retried for a while. An address that cannot be resolved or reached is not retried, because the view from
/// inside a network often differs from the Internet's. The result for each address is kept, to explain a failed validation.
/// </summary>
internal sealed class Http01SelfCheck(
    IPlainHttpEndpoints endpoints,
    TokenProbe probe,
    Http01TokenTable tokens,
    ConfigurationSource configuration,
    TimeProvider time,
    ILogger<Http01SelfCheck> logger,
    Http01SelfCheck.LookUp? lookUp = null)
{
    private const int MaxAddresses = 8;

    // The resolver of the operating system has long time limits of its own, and the challenge waits for this check.
    private static readonly TimeSpan LookUpTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Looks up the addresses of a name. Tests replace the resolver of the operating system.</summary>
    public delegate Task<IPAddress[]> LookUp(string host, CancellationToken cancellationToken);

    public async Task RunAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (!configuration.Current.SelfCheck)
        {
            return;
        }

        await CheckListenerAsync(context, cancellationToken);
        var started = time.GetTimestamp();
        var reported = new HashSet<(IPAddress, string)>();
        for (var first = true; ; first = false)
        {
            var seen = await AskAllAsync(context, cancellationToken);
            tokens.Note(context.Token!, seen);
            if (first && seen.Any(s => s.Result.Silence is not null))
            {
                logger.AddressesSilent(context.Identifier, Describe(seen));
            }

            if (seen.FirstOrDefault(s => s.Result.ForeignResponse is not null) is not { Result.ForeignResponse: { } response } foreign)
            {
                return;
            }

            if (time.GetElapsedTime(started) >= LongestWait)
            {
                logger.ForeignAnswerStays(context.Identifier, foreign.Address, response, LongestWait.TotalSeconds);
                return;
            }

            // Each response is logged once, not every two seconds.
            if (reported.Add((foreign.Address, response)))
            {
                logger.ForeignAnswer(context.Identifier, foreign.Address, response);
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>Describes where a name leads as seen from this machine, with the result of the self-check for each address.</summary>
    public async Task<string> DescribeAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        var seen = context.Token is { } token ? tokens.NotesFor(token) : [];
        if (seen.Count > 0)
        {
            return $"requested from this machine, {Describe(seen)}";
        }

        return await ResolveAsync(context, cancellationToken) switch
        {
            null => $"its addresses could not be looked up within {LookUpTime.TotalSeconds:0} s",
            [] => "it does not resolve",
            var addresses => $"it resolves to {string.Join(", ", addresses.Select(a => a.ToString()))}",
        };
    }

    /// <returns>The addresses; <see langword="null"/> if the resolver did not say in time.</returns>
    private async Task<IPAddress[]?> ResolveAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(context.Identifier, out var address))
        {
            return [address];
        }

        using var limit = new TimeLimit(LookUpTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var found = await (lookUp ?? Dns.GetHostAddressesAsync)(context.Identifier, both.Token).WaitOrAbandonAsync(both.Token);
            return [.. found.Distinct().Take(MaxAddresses)];
        }
        catch (SocketException)
        {
            return [];
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static string Describe(IReadOnlyList<(IPAddress Address, TokenProbeResult Result)> seen)
        => string.Join("; ", seen.Select(s => $"{s.Address} {s.Result}"));

    private async Task CheckListenerAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        foreach (var endpoint in endpoints.List())
        {
            var result = await probe.AskAsync(endpoint, context.Identifier, context.Token!, context.KeyAuthorization!, cancellationToken);
            if (result.ForeignResponse is { } response)
            {
                logger.ListenerAnswersOtherwise(context.Identifier, endpoint, response);
            }
        }
    }

    /// <summary>Asks all addresses at the same time, because one that does not respond must not delay the others.</summary>
    private async Task<IReadOnlyList<(IPAddress Address, TokenProbeResult Result)>> AskAllAsync(
        ChallengeContext context, CancellationToken cancellationToken)
    {
        // If a name leads only to this machine, that says nothing about the Internet.
        var addresses = (await ResolveAsync(context, cancellationToken) ?? []).Where(a => !GuardedConnection.IsThisMachine(a)).ToList();
        var results = await Task.WhenAll(addresses.Select(
            address => probe.AskAsync(
                new IPEndPoint(address, TokenProbe.ValidationPort),
                context.Identifier,
                context.Token!,
                context.KeyAuthorization!,
                cancellationToken)));
        return [.. addresses.Zip(results)];
    }
}

/// <summary>Lists the endpoints on which this instance listens for plain HTTP.</summary>
internal interface IPlainHttpEndpoints
{
    /// <summary>Returns the endpoints, with wildcard addresses replaced by loopback; empty if there are none.</summary>
    IReadOnlyList<IPEndPoint> List();
}
