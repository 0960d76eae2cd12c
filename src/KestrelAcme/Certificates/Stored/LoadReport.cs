using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Stored;

/// <summary>Says once why stored certificates cannot be read, however many they are, and again only after some could be.</summary>
internal sealed class LoadReport(IssuanceSettings settings, ILogger<LoadReport> logger)
{
    private volatile bool _said;

    public void Succeeded() => _said = false;

    public void Failed(Exception exception)
    {
        if (_said)
        {
            return;
        }

        _said = true;
        if (exception is OperationCanceledException)
        {
            logger.StoreSlowAtLoad(settings.LoadTime.TotalSeconds);
        }
        else if (exception is StorageUnavailableException)
        {
            logger.StoreUnavailableAtLoad(exception.Message);
        }
        else
        {
            logger.LoadFailed(exception);
        }
    }
}
