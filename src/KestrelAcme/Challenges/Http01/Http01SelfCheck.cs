using System.Net;
using System.Net.Sockets;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Http01;

/// <summary>
/// Asks for our own token before the authority is told to look: at our own listener, then by the public name where that resolves. What somebody else answers is reported and waited on
/// for a while; what cannot be resolved or reached from inside is no reason to wait, since the inside of a network often sees other things than the Internet does.
/// </summary>
internal sealed class Http01SelfCheck(IPlainHttpEndpoints endpoints, TokenProbe probe, ConfigurationSource configuration, TimeProvider time, ILogger<Http01SelfCheck> logger)
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
        while (await FindForeignAsync(context, cancellationToken) is { } foreign)
        {
            if (time.GetElapsedTime(started) >= LongestWait)
            {
                logger.ForeignAnswerStays(context.Identifier, foreign.Address, foreign.Answer, LongestWait.TotalSeconds);
                return;
            }

            logger.ForeignAnswer(context.Identifier, foreign.Address, foreign.Answer);
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>The public addresses of a name, as seen from here; empty when it has none.</summary>
    public static async Task<IPAddress[]> ResolveAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(context.Identifier, out var address))
        {
            return [address];
        }

        try
        {
            return [.. (await Dns.GetHostAddressesAsync(context.Identifier, cancellationToken)).Take(MaxAddresses)];
        }
        catch (SocketException)
        {
            return [];
        }
    }

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

    private async Task<(IPAddress Address, string Answer)?> FindForeignAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        foreach (var address in await ResolveAsync(context, cancellationToken))
        {
            // A name that leads to this machine alone says nothing about the Internet.
            if (!IPAddress.IsLoopback(address)
                && (await probe.AskAsync(new IPEndPoint(address, TokenProbe.AuthoritysPort), context.Identifier, context.Token!, context.KeyAuthorization!, cancellationToken)).ForeignAnswer is { } answer)
            {
                return (address, answer);
            }
        }

        return null;
    }
}
