namespace KestrelAcme.Simulation.Tests;

/// <summary>Whether a process still lives: once it was killed, nothing that it still does reaches the world.</summary>
internal sealed class Lifeline
{
    private volatile bool _cut;

    public void Cut() => _cut = true;

    public void ThrowIfCut()
    {
        if (_cut)
        {
            throw new ProcessKilledException();
        }
    }
}
