using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Faults;

/// <summary>A fault that waits for its requests.</summary>
internal sealed class FaultRule(ResourceKind? resource, Fault fault, int times)
{
    public Fault Fault { get; } = fault;

    public bool IsSpent => times <= 0;

    public bool TryUse(ResourceKind asked)
    {
        if (IsSpent || (resource is { } wanted && wanted != asked))
        {
            return false;
        }

        // int.MaxValue stands for always.
        times -= times == int.MaxValue ? 0 : 1;
        return true;
    }
}
