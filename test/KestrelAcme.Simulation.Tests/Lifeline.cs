namespace KestrelAcme.Simulation.Tests;

/// <summary>Whether a process still lives: once it was killed, nothing that it still does reaches the world.</summary>
internal sealed class Lifeline
{
    private volatile bool _cut;
    private int? _afterOrder;
    private int? _left;

    public bool IsCut => _cut;

    public void Cut() => _cut = true;

    /// <summary>
    /// Kills the process in the middle of the next order: at so many steps, each a look at the store or a request, after it sets out to
    /// place it.
    /// </summary>
    public void CutDuringOrder(int steps) => _afterOrder = steps;

    /// <summary>The process sets out to place an order.</summary>
    public void OrderBegins()
    {
        _left ??= _afterOrder;
        Step();
    }

    /// <summary>The process reaches out to the world.</summary>
    /// <exception cref="ProcessKilledException">It does so no more.</exception>
    public void Step()
    {
        _cut |= _left is <= 0;
        _left--;
        if (_cut)
        {
            throw new ProcessKilledException();
        }
    }
}
