using System.Net;
using System.Net.Sockets;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Transport;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Http01;

/// <summary>
/// Asks for our own token before the authority is told to look: at our own listener, then at each address that the public name leads to.
/// What somebody else answers is reported and waited
/// on for a while; what cannot be resolved or reached from inside is no reason to wait, since the inside of a network often sees other
/// things than the Internet does. What each address
/// did is kept, to explain a validation that fails.
/// </summary>
internal sealed class Http01SelfCheck(
    IPlainHttpEndpoints endpoints,
    TokenProbe probe,
    Http01TokenTable tokens,
    ConfigurationSource configuration,
    TimeProvider time,
    ILogger<Http01SelfCheck> logger)
{
    private const int MaxAddresses = 8;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    public async Task RunAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (!configuration.Current.SelfCheck)
        {
            return;
        }

        await CheckListenerAsync(context, cancellationToken);
        var started = time.GetTimestamp();
        var said = new HashSet<(IPAddress, string)>();
        for (var first = true; ; first = false)
        {
            var seen = await AskAllAsync(context, cancellationToken);
            tokens.Note(context.Token!, seen);
            if (first && seen.Any(s => s.Result.Silence is not null))
            {
                logger.AddressesSilent(context.Identifier, Describe(seen));
            }

            if (seen.FirstOrDefault(s => s.Result.ForeignAnswer is not null) is not { Result.ForeignAnswer: { } answer } foreign)
            {
                return;
            }

            if (time.GetElapsedTime(started) >= LongestWait)
            {
                logger.ForeignAnswerStays(context.Identifier, foreign.Address, answer, LongestWait.TotalSeconds);
                return;
            }

            // The same words every two seconds tell nobody more.
            if (said.Add((foreign.Address, answer)))
            {
                logger.ForeignAnswer(context.Identifier, foreign.Address, answer);
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>Where a name leads, as seen from here, with what the self-check saw at each address.</summary>
    public async Task<string> DescribeAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        var seen = context.Token is { } token ? tokens.NotesFor(token) : [];
        if (seen.Count > 0)
        {
            return $"asked from here, {Describe(seen)}";
        }

        var addresses = await ResolveAsync(context, cancellationToken);
        return addresses.Length == 0 ? "it does not resolve" : $"it resolves to {string.Join(", ", addresses.Select(a => a.ToString()))}";
    }

    private static async Task<IPAddress[]> ResolveAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(context.Identifier, out var address))
        {
            return [address];
        }

        try
        {
            return [.. (await Dns.GetHostAddressesAsync(context.Identifier, cancellationToken)).Distinct().Take(MaxAddresses)];
        }
        catch (SocketException)
        {
            return [];
        }
    }

    private static string Describe(IReadOnlyList<(IPAddress Address, TokenProbeResult Result)> seen)
        => string.Join("; ", seen.Select(s => $"{s.Address} {s.Result}"));

    private async Task CheckListenerAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        foreach (var endpoint in endpoints.List())
        {
            var result = await probe.AskAsync(endpoint, context.Identifier, context.Token!, context.KeyAuthorization!, cancellationToken);
            if (result.ForeignAnswer is { } answer)
            {
                logger.ListenerAnswersOtherwise(context.Identifier, endpoint, answer);
            }
        }
    }

    /// <summary>All addresses at once: one that is silent must not use up the time of the others.</summary>
    private async Task<IReadOnlyList<(IPAddress Address, TokenProbeResult Result)>> AskAllAsync(
        ChallengeContext context, CancellationToken cancellationToken)
    {
        // A name that leads to this machine alone says nothing about the Internet.
        var addresses = (await ResolveAsync(context, cancellationToken)).Where(a => !GuardedConnection.IsThisMachine(a)).ToList();
        var results = await Task.WhenAll(addresses.Select(
            a => probe.AskAsync(
                new IPEndPoint(a, TokenProbe.AuthoritysPort), context.Identifier, context.Token!, context.KeyAuthorization!, cancellationToken)));
        return [.. addresses.Zip(results)];
    }
}
