using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Simulation.Tests;

/// <summary>A process's access to a store that outlives it.</summary>
internal sealed class MortalStorage(IAcmeStorage storage, Lifeline life) : DelegatingStorage
{
    protected override IAcmeStorage Inner
    {
        get
        {
            life.Step();
            return storage;
        }
    }

    public override async ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
        => await base.CheckAsync(cancellationToken) with { Durable = true };
}
