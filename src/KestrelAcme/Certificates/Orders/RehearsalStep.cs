using KestrelAcme.Certificates.Failures;
using KestrelAcme.Challenges.Dns01.Caa;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Rehearses an order if the last failure requires it, and decides what the outcome means for the order.</summary>
internal sealed class RehearsalStep(RehearsalFlow flow, ICaaAccounts accounts, TimeProvider time)
{
    // After that, attempts are a day apart and go to production, in case staging fails for reasons of its own.
    private const int MostRehearsals = 4;

    // Production waits no longer for a staging service that is down.
    private static readonly TimeSpan LongestOutage = TimeSpan.FromHours(1);

    /// <exception cref="OrderFailedException">The names were not validated at staging.</exception>
    /// <exception cref="RehearsalUnavailableException">Staging is down, for less than an hour.</exception>
    public async Task RunAsync(OrderContext context, CancellationToken cancellationToken)
    {
        var writer = context.Writer;
        if (!writer.State.Rehearse
            || writer.State.Failure?.Count >= MostRehearsals
            || context.Authority.Specification.StagingTwin is null
            || writer.Pending?.OrderUrl is not null)
        {
            return;
        }

        if (await IsBoundAsync(context, cancellationToken))
        {
            // Staging has another account, and would refuse the name in any case.
            await writer.RehearsedAsync(rehearseAgain: false, downSince: null, cancellationToken);
            return;
        }

        var outcome = await flow.RunAsync(context, cancellationToken);
        if (outcome != RehearsalOutcome.Unavailable)
        {
            await writer.RehearsedAsync(rehearseAgain: false, downSince: null, cancellationToken);
            return;
        }

        var since = writer.State.RehearsalDownSince ?? time.GetUtcNow();
        await writer.RehearsedAsync(rehearseAgain: true, since, cancellationToken);
        if (time.GetUtcNow() - since < LongestOutage)
        {
            throw new RehearsalUnavailableException();
        }
    }

    private async Task<bool> IsBoundAsync(OrderContext context, CancellationToken cancellationToken)
    {
        var directory = await context.Authority.Client.GetDirectoryAsync(cancellationToken);
        return await accounts.AreNamedAsync(CaaStep.Subjects(context), directory.Meta.CaaIdentities, cancellationToken);
    }
}

/// <summary>The outcome of a rehearsal that did not fail.</summary>
internal enum RehearsalOutcome
{
    /// <summary>A challenge went from pending to valid.</summary>
    Passed,

    /// <summary>The CA validated nothing, or staging differs from production for this certificate.</summary>
    NothingProved,

    /// <summary>The staging service itself fails.</summary>
    Unavailable,
}
