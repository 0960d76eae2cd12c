using System.Diagnostics;

namespace KestrelAcme.LocalAuthority.Tests.Hosting;

/// <summary>Observes the hosts built in its execution context, as test and design-time tools do.</summary>
internal sealed class HostWatcher : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    private readonly AsyncLocal<bool> _watching = new();
    private int _seen;

    public int Seen => Volatile.Read(ref _seen);

    public void Watch() => _watching.Value = true;

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == "Microsoft.Extensions.Hosting")
        {
            value.Subscribe(this);
        }
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (_watching.Value)
        {
            Interlocked.Increment(ref _seen);
        }
    }
}
