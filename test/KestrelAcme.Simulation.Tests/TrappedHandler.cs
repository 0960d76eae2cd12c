using KestrelAcme.Challenges;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Prepares challenges, but those of hostile names.</summary>
internal sealed class TrappedHandler(IChallengeHandler handler, Trap trap, TimeProvider time) : IChallengeHandler
{
    public string ChallengeType => handler.ChallengeType;

    public bool CanHandle(string identifierType, string value, bool wildcard) => handler.CanHandle(identifierType, value, wildcard);

    public async Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        if (trap is { IsSet: true, ChallengeHangs: { } hangs } && Trap.IsHostile(context.Identifier))
        {
            trap.Fall();
            await Task.Delay(hangs, time, cancellationToken);
            throw new ChallengeException($"{context.Identifier}: its name servers do not answer.") { Fault = trap.Fault };
        }

        await handler.PrepareAsync(context, cancellationToken);
    }

    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken)
        => handler.WaitUntilVisibleAsync(context, cancellationToken);

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
        => handler.CleanUpAsync(context, cancellationToken);
}
